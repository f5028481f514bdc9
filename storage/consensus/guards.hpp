#pragma once

#include "storage/consensus/messages.hpp"

#include <cstdint>
#include <vector>

namespace novacron {

// libraft 0.22.1 has faults that its user must guard against. Each guard names
// the fault; the numbers are those of storage/README.md.

/// G1, phantom match: a stale-term request is answered with an uninitialised
/// last index, which a leader that was re-elected takes for stored entries.
/// True: drop the request before the core sees it.
bool stale_append(const append_request& request, uint64_t current_term);

/// G1, on the way out: a rejection never claims entries beyond what it rejects.
void clamp_rejection(append_answer& answer, uint64_t last_index);

/// G2, pre-vote deadlock: a denied pre-vote echoes the candidate's term, so
/// that a candidate with the best log and an old term never learns the new one.
void tell_term(vote_answer& answer, uint64_t current_term);

/// G3, stale rejection: one at or below what the peer is known to hold would
/// set the next index below the match index. True: drop it.
bool stale_rejection(const append_answer& answer, uint64_t match_index);

/// G4, append below a compaction: entries up to `compacted` are there already;
/// the request is rebased onto it, and loses those entries.
void rebase(append_request& request, uint64_t compacted, uint64_t compacted_term);

/// G5, configuration in the middle: the core believes that a message's
/// configuration is its first entry. Splits the request so that it is.
std::vector<append_request> split_at_configurations(append_request request);

} // namespace novacron
