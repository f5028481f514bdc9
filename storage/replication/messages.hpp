#pragma once

#include "storage/replication/log_entry.hpp"

#include <cstdint>
#include <string>
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

/// A state, and the place in the log that it stands for. The contents don't
/// travel in messages: `reference` says where they can be fetched.
struct raft_snapshot {
  uint64_t index = 0; ///< of the last entry that the state holds
  uint64_t term = 0;  ///< of that entry
  uint64_t configuration_index = 0;
  log_entry::bytes configuration; ///< the newest one up to `index`, see membership.hpp
  std::string reference;          ///< the state machine's; opaque to the core

  friend bool operator==(const raft_snapshot&, const raft_snapshot&) = default;
};

/// The leader no longer has the entries that the peer needs: it must take the
/// leader's state instead.
struct install_request {
  uint64_t term = 0;
  raft_snapshot snapshot;
};

/// Answers to `append_request` and `install_request` are both `append_answer`.
using raft_message_body = std::variant<vote_request, vote_answer, append_request, append_answer,
                                       take_over, install_request>;

} // namespace novacron
