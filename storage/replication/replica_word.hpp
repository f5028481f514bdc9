#pragma once

#include <cstdint>

namespace novacron {

/// The hash of all changes that a state has been through, at a place in the log.
/// Replicas that have it for the same index compare it.
struct state_sum {
  uint64_t index = 0; ///< of the last entry that counts; 0: there is none to compare
  uint64_t hash = 0;

  friend bool operator==(const state_sum&, const state_sum&) = default;
};

/// What a replica says of itself now and then, beside consensus. Programs of
/// before cluster version 4 drop it unread, and say nothing.
struct replica_word {
  uint32_t knows = 0; ///< the newest cluster version that its program knows
  state_sum sum;

  friend bool operator==(const replica_word&, const replica_word&) = default;
};

} // namespace novacron
