#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// Where something listens.
struct address {
  std::string host;
  uint16_t port = 0;

  friend bool operator==(const address&, const address&) = default;
};

/// Renders "host:port", with brackets around an IPv6 host.
std::string to_string(const address& x);

/// Reads "host:port" and "[v6]:port"; nothing for anything else, such as a host
/// with a character that no name and no address holds. Port 0 is allowed.
std::optional<address> parse_address(std::string_view text);

} // namespace novacron
