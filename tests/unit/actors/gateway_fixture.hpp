#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "actors/gateway/http/ports.hpp"
#include "actors/view/view_table.hpp"
#include "messages/commands.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace novacron {

/// What the fake log answers to a command; nothing: it never answers.
using fake_log = std::function<std::optional<command_outcome>(const command&)>;

/// A gateway's actor on real loopback sockets, with a fake log behind it. Keeps
/// CAF and Beast out of the tests.
class running_gateway {
public:
  running_gateway(gateway_config config, std::shared_ptr<view_table> view, fake_log log);
  ~running_gateway();

  /// Kills the gateway's actor, and waits until it is gone.
  void kill();
  /// Starts another one on the same ports.
  void start();
  /// Actors that were asked to be killed.
  [[nodiscard]] std::vector<std::string> killed() const;

private:
  struct actors;
  std::unique_ptr<actors> actors_;
};

/// A plain TCP connection to 127.0.0.1; every wait has a deadline of 10 s.
class test_connection {
public:
  explicit test_connection(uint16_t port);

  void send(const std::string& bytes);
  /// One whole HTTP answer: head and body.
  std::string receive();
  /// Everything until the other end closes.
  std::string receive_all();
  /// Exactly so many bytes, or fewer when the other end closes.
  std::string receive_bytes(size_t count);
  /// The other end has closed with bytes of ours unread.
  [[nodiscard]] bool was_reset() const { return reset_; }

private:
  bool more();

  owned_socket socket_;
  std::string buffer_;
  bool reset_ = false;
};

} // namespace novacron
