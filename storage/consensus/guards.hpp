#pragma once

#include "storage/replication/messages.hpp"

#include <cstdint>
#include <vector>

namespace novacron {

// libraft 0.22.1 has faults that its user must guard against. Each guard names
// the fault; the numbers are those of storage/README.md.

/// Which guards are on. All of them, but in tests that show what each is for.
struct raft_guards {
  bool stale_term = true;        ///< G1
  bool denied_pre_vote = true;   ///< G2
  bool stale_rejection = true;   ///< G3
  bool rebase = true;            ///< G4
  bool split = true;             ///< G5
  bool own_term_first = true;    ///< G6
  bool silent_leader = true;     ///< G8
  bool term_of_one = true;       ///< G10
  bool standby_votes = true;     ///< G11
  bool own_change_first = true;  ///< G12
  bool late_votes = true;        ///< G13
  bool sync_before_ack = true;   ///< entries count as stored only once the disk says so
  bool apply_only_stored = true; ///< min(commit, stored)
};

/// How often each guard had something to guard against.
struct guard_hits {
  uint64_t stale_term = 0;
  uint64_t denied_pre_vote = 0;
  uint64_t stale_rejection = 0;
  uint64_t rebase = 0;
  uint64_t split = 0;
  uint64_t own_term_first = 0;
  uint64_t silent_leader = 0;
  uint64_t standby_votes = 0;
  uint64_t late_votes = 0;
};

/// G1, phantom match: a stale-term request is answered with an uninitialised
/// last index, which a leader that was re-elected takes for stored entries.
/// True: drop the request before the core sees it.
bool stale_append(const append_request& request, uint64_t current_term);

/// G1, on the way out: a rejection claims what is there below what it rejects,
/// whatever the core has put there, which may be no value at all.
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

// G6, change too early: a leader may change the membership before it has
// committed anything in its own term, and then two majorities need not overlap
// (Ongaro, "bug in single-server membership changes", raft-dev 2015). Kept by
// `raft_core::change`.
//
// G7, endless install: a snapshot that is being installed can't be given up,
// and another one offered meanwhile leaks. So the core sees a snapshot only
// when its contents are here, and one at a time. Kept by `raft_core::receive`.
//
// G8, silent leader: a standby, or a voter with a slow disk, never stands for
// election, and so believes in its last leader for ever and denies its vote to
// others. Who was not heard of for an election timeout is forgotten. Kept by
// `raft_core::tick`.

// G9, exchanged progress: a leader keeps what it knows of its peers in the order
// of the members. A new membership of the same size in another order leaves it
// as it was, so that one peer is booked as having stored what another has. Kept
// by `encode_membership`, which sorts.

// G10, election without a term: a voter that is alone in its membership makes
// itself the leader in the term that it has, in which others may have led, or it
// has itself before a crash. Then two entries of the same index and term differ.
// It gets a new term, and its own vote, first. Kept by `raft_core::start`,
// `tick` and `receive`.

// G11, unknowing voter: a standby that was promoted, and hasn't got the entry
// that says so, refuses its vote to those who have; if they need it, nobody ever
// leads again. Votes are given whatever one's own membership says (Ongaro's
// thesis, 4.1). Kept by `raft_core::receive`.

// G12, forgotten change: entries are sent before the leader has stored them. If
// that is a change that takes a voter's vote, and the leader forgets it in a
// crash, then that voter has the longest log, doesn't stand for election, and
// votes for nobody. So a change leaves only once the leader has stored it; and a
// leader never takes its own vote, but hands over first (`membership_changes`).
// Kept by `raft_core::implementation::send_append`.

// G13, late vote: whether a vote's answer belongs to a pre-vote is looked up in
// the candidate's part of a union, also by a follower or leader, whose part has
// the byte of a pointer there. By chance of that byte a denied pre-vote raises
// their term: a leader steps down, and no two runs are alike. Only candidates
// see answers. Kept by `raft_core::receive`.

/// Splits what is sent so that no message holds entries of more than `most_bytes`.
std::vector<append_request> split_by_size(append_request request, size_t most_bytes);

} // namespace novacron
