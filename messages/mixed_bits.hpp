#pragma once

#include <cstdint>

namespace novacron {

/// Spreads `x` over all 64 bits: the finisher of SplitMix64 (Steele, Lea and Flood,
/// 2014). A bijection with 0 at 0, the same on every machine and in every version,
/// so replicas may count on it.
[[nodiscard]] constexpr uint64_t mixed_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31);
}

/// SplitMix64's step between two numbers, odd: added before, it keeps 0 from
/// staying 0.
constexpr uint64_t golden_gamma = 0x9E37'79B9'7F4A'7C15;

} // namespace novacron
