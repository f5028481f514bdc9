#pragma once

#include "messages/result.hpp"
#include "storage/consensus/guards.hpp"
#include "storage/replication/membership.hpp"
#include "storage/replication/persistence.hpp"
#include "storage/replication/state_machine.hpp"
#include "storage/replication/transport.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace novacron {

/// What the disk held when the replica started.
struct raft_start {
  uint64_t id = 0; ///< of this replica in the group, not 0
  std::string address;
  uint64_t term = 0; ///< 0: the replica is new, and waits to be added by a leader
  uint64_t vote = 0;
  std::optional<compaction_point> compacted;
  uint64_t first = 1;             ///< index of the first of `entries`
  std::vector<log_entry> entries; ///< `data` may be null up to `applied`, but for configurations
  uint64_t applied = 0;           ///< the state holds everything up to here
  std::chrono::milliseconds election{500};
  std::chrono::milliseconds heartbeat{100};
  uint32_t seed = 0; ///< of the random part of election timeouts
  raft_guards guards;
};

/// What became of a wish to change the membership.
enum class change_answer : uint8_t {
  submitted, ///< it is in the log; committed once `membership_index` is
  not_leader,
  busy,      ///< another change is not committed yet
  too_early, ///< nothing of this term is committed yet; a barrier is under way
};

/// The core can't go on, and must not guess: memory ran out, or a peer's log
/// contradicts what is committed. The process should end.
class raft_failure : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// One replica's part of the consensus, over libraft's step function.
///
/// The problem: libraft's core is a pure function from an event to what must be
/// done; it frees, keeps and lends memory by rules of its own, has bugs that a
/// user must guard against, and knows nothing of disks or threads. This class
/// is the one place that knows those rules. It keeps the entries that may
/// still be needed, applies only what is committed *and* stored here, and calls
/// its three users in the order that safety demands: vote, log, messages, apply.
///
/// No threads, no clock, no I/O: it runs wherever it is called, one call at a
/// time. Times are of a clock that never goes back, in milliseconds. Any call may
/// throw `raft_failure`; the core is of no use afterwards.
class raft_core {
public:
  using millisecond_clock = uint64_t;

  raft_core(raft_transport& transport, raft_persistence& persistence, raft_state_machine& machine);
  ~raft_core();

  /// Begins with what the disk held. A single voter is the leader afterwards.
  /// Fails with `damaged` if the core refuses the log.
  result<void> start(raft_start from, millisecond_clock now);

  // -- what happens ------------------------------------------------------------------

  /// The entry at `index`, of `term`, and all before it are durable.
  void stored(uint64_t index, uint64_t term, millisecond_clock now);
  /// The install that `raft_persistence` was asked for is durable.
  void installed(millisecond_clock now);
  /// The fetch that `raft_state_machine` was asked for has ended. Without
  /// success the leader will offer another snapshot.
  void fetched(bool complete, millisecond_clock now);

  void receive(uint64_t from, const std::string& address, raft_message_body message,
               millisecond_clock now);

  /// To be called at `next_tick`; more often does no harm.
  void tick(millisecond_clock now);
  [[nodiscard]] millisecond_clock next_tick() const;

  // -- what is wanted ----------------------------------------------------------------

  /// Appends commands as entries of their own; the first gets index
  /// `last_index() + 1`. False: this replica is not the leader, or hands over.
  bool submit(std::vector<log_entry::bytes> commands, millisecond_clock now);
  /// Appends an entry that nobody applies, at `last_index() + 1`. Once it is
  /// applied here, everything that anybody acknowledged before is too.
  bool submit_barrier(millisecond_clock now);
  /// Makes `members` the group's. It may differ by one member only.
  change_answer change(const membership& members, millisecond_clock now);
  /// Hands leadership over to a voter; ends by itself within an election
  /// timeout, in which nothing can be submitted. False: not the leader, or no
  /// such voter.
  bool transfer(uint64_t to, millisecond_clock now);

  /// The state holds everything up to `index`, durably: forget the log up to
  /// there, but for the last `keep` entries. Returns what to store for the next
  /// start before the entries are deleted; nothing: not now.
  std::optional<compaction_point> compact(uint64_t index, uint32_t keep, millisecond_clock now);

  // -- what is -----------------------------------------------------------------------

  [[nodiscard]] bool leader() const;
  /// Who leads, as far as is known here; 0: nobody.
  [[nodiscard]] uint64_t leader_id() const;
  [[nodiscard]] uint64_t term() const;
  [[nodiscard]] uint64_t commit_index() const;
  [[nodiscard]] uint64_t applied_index() const;
  [[nodiscard]] uint64_t last_index() const;
  /// Something of the own term is committed: what is applied is up to date.
  [[nodiscard]] bool settled() const;
  /// The newest members, committed or not, and the entry that says so.
  [[nodiscard]] membership members() const;
  [[nodiscard]] uint64_t membership_index() const;
  [[nodiscard]] uint32_t voters() const;
  /// How far a peer's log is known to be stored. 0 if this replica doesn't lead.
  [[nodiscard]] uint64_t match_index(uint64_t peer) const;
  /// When a peer was last heard of; 0: never.
  [[nodiscard]] millisecond_clock heard(uint64_t peer) const;
  /// A snapshot is being fetched or installed.
  [[nodiscard]] bool installing() const;
  [[nodiscard]] const compaction_point& compacted() const;
  [[nodiscard]] const guard_hits& guarded() const;

private:
  struct implementation;
  class as_voter;
  std::unique_ptr<implementation> self_;
};

} // namespace novacron
