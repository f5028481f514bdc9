#pragma once

#include "messages/result.hpp"
#include "runtime/config/endpoint.hpp"

#include <boost/json/value.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace novacron {

/// A node's answer, whatever its status.
struct api_reply {
  int status = 0;
  boost::json::value body; ///< null when there was none
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

/// One request to the API.
struct api_call {
  std::string method = "GET";
  std::string path;
  boost::json::value body;     ///< null: none
  std::string idempotency_key; ///< empty: none
  std::chrono::milliseconds limit{5'000};
};

/// Asks a gateway, one connection per call. The demo's own: it must see each
/// connection break, so nothing is asked again behind its back.
class api_client {
public:
  api_client(endpoint gateway, std::string token);

  /// Fails when there was no complete answer within the limit: what became of
  /// the request is then unknown.
  [[nodiscard]] result<api_reply> call(const api_call& what) const;

  [[nodiscard]] const endpoint& gateway() const { return gateway_; }

private:
  endpoint gateway_;
  std::string token_;
};

/// Members of JSON objects, with a default for what is absent or of another type.
std::string text_at(const boost::json::value& object, std::string_view key);
double number_at(const boost::json::value& object, std::string_view key);
bool flag_at(const boost::json::value& object, std::string_view key);
const boost::json::value& value_at(const boost::json::value& object, std::string_view key);

} // namespace novacron
