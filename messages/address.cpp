#include "messages/address.hpp"

#include <algorithm>
#include <charconv>

namespace novacron {

namespace {

constexpr size_t max_host_bytes = 253; ///< of a name in DNS

bool holds_only(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || marks.find(c) != std::string_view::npos;
  });
}

} // namespace

std::string to_string(const address& x) {
  auto v6 = x.host.find(':') != std::string::npos;
  return (v6 ? "[" + x.host + "]" : x.host) + ":" + std::to_string(x.port);
}

std::optional<address> parse_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  auto port_text = text.substr(colon + 1);
  const bool v6 = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (v6)
    host = host.substr(1, host.size() - 2);
  const bool good = v6 ? holds_only(host, ":.%") && host.find(':') != std::string_view::npos
                       : holds_only(host, ".-_");
  if (!good || host.empty() || host.size() > max_host_bytes)
    return std::nullopt;
  uint16_t port = 0;
  auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || error != std::errc{} || end != port_text.data() + port_text.size())
    return std::nullopt;
  return address{std::string{host}, port};
}

} // namespace novacron
