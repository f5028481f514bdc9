#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace novacron {

/// Continues a hash over a sequence of byte strings: FNV-1a, 64 bits (Fowler,
/// Noll, Vo), beginning with the length, so that "ab","c" isn't "a","bc".
/// Against faults, not against enemies. Replicas compare it (`state_sums`): equal
/// logs must have made equal changes.
inline uint64_t rolling_hash(uint64_t before, std::span<const std::byte> bytes) {
  constexpr uint64_t prime = 0x100000001b3;
  uint64_t hash = before ^ 0xcbf29ce484222325;
  for (auto size = bytes.size(), i = size_t{0}; i < 8; ++i, size >>= 8)
    hash = (hash ^ (size & 0xff)) * prime;
  for (auto byte : bytes)
    hash = (hash ^ std::to_integer<uint64_t>(byte)) * prime;
  return hash;
}

} // namespace novacron
