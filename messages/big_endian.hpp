#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace novacron {

/// Appends `value` to `out`, most significant byte first.
template <std::unsigned_integral T>
void put_big_endian(std::vector<std::byte>& out, T value) {
  for (size_t i = sizeof(T); i-- > 0;)
    out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

/// Reads the first `sizeof(T)` bytes; the caller has checked that they are there.
template <std::unsigned_integral T>
[[nodiscard]] T get_big_endian(std::span<const std::byte> in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | std::to_integer<T>(in[i]));
  return value;
}

/// Appends the characters of `text`, without a length.
inline void put_text(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  out.insert(out.end(), bytes.begin(), bytes.end());
}

} // namespace novacron
