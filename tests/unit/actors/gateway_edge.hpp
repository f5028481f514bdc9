#pragma once

#include "actors/gateway/gateway.hpp"
#include "actors/gateway/tokens.hpp"
#include "gateway_fake_log.hpp"
#include "gateway_fixture.hpp"

namespace novacron {

/// A gateway with short limits, a token "secret" and a small log.
struct edge_fixture {
  explicit edge_fixture(gateway_config x = short_limits()) : config{std::move(x)} {
    // nop
  }

  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::shared_ptr<small_log> log = std::make_shared<small_log>(view);
  gateway_config config;
  running_gateway gateway{config, view, [x = log](const command& asked) { return (*x)(asked); }};
  uint16_t port = config.ports->api_port();

  static gateway_config short_limits() {
    gateway_config x;
    x.port = 0;
    x.operator_port = 0;
    x.chaos = true;
    x.tokens = {{"ann", sha256_hex("secret")}};
    x.limits.header_time = std::chrono::seconds{1};
    x.limits.body_time = std::chrono::seconds{1};
    x.limits.idle_time = std::chrono::seconds{5};
    x.limits.proposal_time = std::chrono::seconds{1};
    x.limits.body_bytes = 10'000;
    x.limits.connections = 3;
    x.limits.in_flight = 2;
    x.limits.event_interval = std::chrono::milliseconds{5};
    x.ports = bind_gateway(x).value();
    return x;
  }

  static std::string request(const std::string& line, const std::string& body = "",
                             const std::string& more = "") {
    return line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n" + more
           + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  /// What the operators' port shows.
  [[nodiscard]] std::string metrics() const {
    test_connection operators{config.ports->operator_port()};
    operators.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return operators.receive();
  }

  std::string ask(const std::string& line, const std::string& body = "") {
    test_connection connection{port};
    connection.send(request(line, body));
    return connection.receive();
  }
};

inline int status(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9)) : 0;
}

inline const std::string good_create
    = R"({"name":"web-1","vcpus":2,"memory_mib":256,"image":"debian"})";

/// The next text message of a WebSocket (RFC 6455, 5.2), unmasked as servers send
/// it, or "closed" and the code that it closes with.
inline std::string receive_frame(test_connection& connection) {
  for (std::string message;;) {
    auto head = connection.receive_bytes(2);
    if (head.size() < 2)
      return {};
    auto length = static_cast<size_t>(head[1] & 0x7F);
    auto wide = length == 126 ? 2U : length == 127 ? 8U : 0U;
    if (wide > 0) {
      length = 0;
      for (auto byte : connection.receive_bytes(wide))
        length = length << 8 | static_cast<unsigned char>(byte);
    }
    auto content = connection.receive_bytes(length);
    const auto opcode = head[0] & 0x0F;
    const bool last = (head[0] & 0x80) != 0;
    if (opcode <= 1)
      message += content;
    if (opcode <= 1 && last)
      return message;
    if (opcode == 8 && length >= 2)
      return "closed " + std::to_string((content[0] & 0xFF) << 8 | (content[1] & 0xFF));
  }
}

inline const std::string upgrade_headers
    = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

} // namespace novacron
