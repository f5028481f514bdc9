#include "messages/uuid.hpp"

#include <charconv>
#include <cstdio>
#include <sys/random.h>
#include <system_error>

namespace novacron {

namespace {

constexpr size_t text_size = 36;

constexpr bool is_dash_position(size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

} // namespace

std::string to_string(const uuid& x) {
  char text[text_size + 1];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned>(x.high >> 32), static_cast<unsigned>(x.high >> 16 & 0xffff),
                static_cast<unsigned>(x.high & 0xffff), static_cast<unsigned>(x.low >> 48),
                static_cast<unsigned long long>(x.low & 0xffff'ffff'ffffULL));
  return text;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != text_size)
    return std::nullopt;
  uuid x;
  int digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    unsigned digit = 0;
    auto [end, error] = std::from_chars(&text[i], &text[i] + 1, digit, 16);
    if (error != std::errc{} || end != &text[i] + 1)
      return std::nullopt;
    auto& half = digits++ < 16 ? x.high : x.low;
    half = half << 4 | digit;
  }
  return x;
}

std::array<std::byte, 16> to_bytes(const uuid& x) {
  std::array<std::byte, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::byte>(x.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::byte>(x.low >> (56 - 8 * i));
  }
  return bytes;
}

uuid random_uuid() {
  uuid x;
  if (::getrandom(&x, sizeof x, 0) != static_cast<ssize_t>(sizeof x))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  x.high = (x.high & ~0xf000ULL) | 0x4000ULL;
  x.low = (x.low & ~(3ULL << 62)) | (2ULL << 62);
  return x;
}

} // namespace novacron
