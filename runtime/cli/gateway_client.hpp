#pragma once

#include "messages/address.hpp"
#include "messages/result.hpp"

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace novacron {

/// What a gateway answered, whatever its status.
struct client_reply {
  unsigned status = 0;
  boost::json::value body; ///< null when there was none, or it was no JSON
  std::string retry_after; ///< the header of that name; empty: there was none

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

/// A question to a gateway.
struct client_request {
  std::string method = "GET";
  std::string path; ///< with its query
  std::string body; ///< JSON; empty: none
  std::string idempotency_key;
  std::chrono::milliseconds limit{10'000}; ///< for the whole exchange
};

/// Asks a gateway over HTTP, one connection per question. Blocks.
class gateway_client {
public:
  /// `url` as in "http://127.0.0.1:7180"; TLS isn't spoken.
  static result<gateway_client> make(std::string_view url, std::string token);

  /// Fails when there was no whole answer in time: what became of the request
  /// is unknown then.
  [[nodiscard]] result<client_reply> ask(const client_request& request) const;

  /// Follows the events over a WebSocket, from `path` ("/api/v1/events?since=…")
  /// on, for ever or until `each` (an array of events) returns false. A refusal
  /// is the reply; an end of the connection is a failure.
  [[nodiscard]] result<client_reply>
  follow(const std::string& path, const std::function<bool(const boost::json::value&)>& each) const;

private:
  gateway_client(address gateway, std::string token)
      : gateway_{std::move(gateway)}, token_{std::move(token)} {
    // nop
  }

  address gateway_;
  std::string token_;
};

} // namespace novacron
