#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// Where something listens: an address and a TCP port.
struct endpoint {
  std::string host; ///< an IPv4 or IPv6 address, or a name; never empty
  uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// "127.0.0.1:7101", "[::1]:7101".
std::string to_string(const endpoint& x);

/// Reads what `to_string` writes; port 0 is refused.
std::optional<endpoint> parse_endpoint(std::string_view text);

} // namespace novacron
