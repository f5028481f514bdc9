#pragma once

#include "storage/consensus/log_entry.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace novacron {

// What replicas of one group say to each other. The words and rules are those
// of Diego Ongaro's thesis, "Consensus: Bridging Theory and Practice" (2014),
// figure 3.1 and chapters 6 (pre-vote) and 3.10 (transfer).

struct vote_request {
  uint64_t term = 0;
  uint64_t candidate = 0;
  uint64_t last_index = 0;
  uint64_t last_term = 0;
  bool disrupt_leader = false; ///< comes from a leader that hands over
  bool pre_vote = false;       ///< asks only whether it would win
};

struct vote_answer {
  uint64_t term = 0;
  bool granted = false;
  bool pre_vote = false;
  uint16_t features = 0;
  uint16_t capacity = 0;
};

struct append_request {
  uint64_t term = 0;
  uint64_t previous_index = 0;
  uint64_t previous_term = 0;
  uint64_t leader_commit = 0;
  std::vector<log_entry> entries; ///< empty: a heartbeat
};

struct append_answer {
  uint64_t term = 0;
  uint64_t rejected = 0;   ///< not 0: the `previous_index` that didn't match
  uint64_t last_index = 0; ///< of the answering replica's log
  uint16_t features = 0;
  uint16_t capacity = 0;
};

/// The leader asks its successor to stand for election at once.
struct take_over {
  uint64_t term = 0;
  uint64_t last_index = 0;
  uint64_t last_term = 0;
};

/// Installing a snapshot is not among them yet: it comes with the second voter.
using raft_message_body
    = std::variant<vote_request, vote_answer, append_request, append_answer, take_over>;

} // namespace novacron
