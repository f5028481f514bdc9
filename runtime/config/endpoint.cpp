#include "runtime/config/endpoint.hpp"

#include <charconv>

namespace novacron {

std::string to_string(const endpoint& x) {
  const bool bare = x.host.find(':') == std::string::npos;
  return (bare ? x.host : '[' + x.host + ']') + ':' + std::to_string(x.port);
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  const auto digits = text.substr(colon + 1);
  endpoint x{std::string{host}, 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), x.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || x.port == 0 || host.empty())
    return std::nullopt;
  return x;
}

} // namespace novacron
