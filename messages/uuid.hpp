#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// A universally unique identifier (RFC 9562). The nil one means "none".
struct uuid {
  uint64_t high = 0;
  uint64_t low = 0;

  [[nodiscard]] constexpr bool nil() const { return high == 0 && low == 0; }
  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

/// Renders 36 lower-case characters, as in "9f1c…-…".
std::string to_string(const uuid& x);

/// Reads the form that `to_string` writes, in either case; nothing for anything else.
std::optional<uuid> parse_uuid(std::string_view text);

/// Sixteen bytes, big-endian: sorts like the value.
std::array<std::byte, 16> to_bytes(const uuid& x);

/// A source of version-4 uuids. Passed in, so that a simulation can repeat them.
using uuid_source = std::function<uuid()>;

/// Draws from the operating system's random numbers. Safe from any thread.
uuid random_uuid();

} // namespace novacron

template <>
struct std::hash<novacron::uuid> {
  size_t operator()(const novacron::uuid& x) const noexcept {
    return static_cast<size_t>(x.high ^ (x.low * 0x9E3779B97F4A7C15ULL));
  }
};
