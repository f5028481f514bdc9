#pragma once

#include "messages/result.hpp"
#include "storage/consensus/log_entry.hpp"
#include "storage/consensus/messages.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace novacron {

/// Carries messages to other replicas.
///
/// Must guarantee: messages to one peer arrive in the order of `send`, or not
/// at all; `send` neither blocks nor calls back into the core.
class raft_transport {
public:
  virtual ~raft_transport() = default;
  virtual void send(uint64_t to, raft_message_body message) = 0;
};

/// Keeps the log on the disk.
///
/// Must guarantee: what was asked is done in that order; a failed write ends
/// the process; none of these calls back into the core.
class raft_persistence {
public:
  virtual ~raft_persistence() = default;

  /// Durable when it returns: a vote that is forgotten could be given twice.
  virtual void store_vote(uint64_t term, uint64_t vote) = 0;
  /// Appends `entries`, of which the first gets index `first`. Once they are
  /// durable, `raft_core::stored` is called with the last one, later, on the
  /// core's thread.
  virtual void append(uint64_t first, std::span<const log_entry> entries) = 0;
  /// Drops the entry at `from` and all after it: a new leader never had them.
  virtual void truncate(uint64_t from) = 0;
  /// Up to `most` entries from `first` on, which are in the log and stored.
  virtual std::vector<log_entry> read(uint64_t first, size_t most) = 0;
};

/// What the log is for.
///
/// Must guarantee: none of these calls back into the core.
class raft_state_machine {
public:
  virtual ~raft_state_machine() = default;

  /// The entry at `index` is committed and stored here. Called for commands
  /// only, once for each, in order.
  virtual void apply(uint64_t index, const log_entry& entry) = 0;
  /// The entry at `index` and all after it will never be committed.
  virtual void dropped(uint64_t index) = 0;
  /// This replica became the leader of its term, or no longer is.
  virtual void leads(bool leader) = 0;
};

/// A log's beginning that is no longer there, because the state holds it.
struct compaction_point {
  uint64_t index = 0;
  uint64_t term = 0;
  uint64_t configuration_index = 0;
  log_entry::bytes configuration;
};

/// What the disk held when the replica started.
struct raft_start {
  uint64_t id = 0; ///< of this replica in the group, not 0
  std::string address;
  uint64_t term = 0;
  uint64_t vote = 0;
  std::optional<compaction_point> compacted;
  uint64_t first = 1;             ///< index of the first of `entries`
  std::vector<log_entry> entries; ///< `data` may be null up to `applied`, but for configurations
  uint64_t applied = 0;           ///< the state holds everything up to here
  std::chrono::milliseconds election{500};
  std::chrono::milliseconds heartbeat{100};
  uint32_t seed = 0; ///< of the random part of election timeouts
};

struct raft_voter {
  uint64_t id = 0;
  std::string address;
};

/// The configuration with which a group begins: the first entry of every log.
log_entry::bytes initial_configuration(std::span<const raft_voter> voters);

/// One replica's part of the consensus, over libraft's step function.
///
/// The problem: libraft's core is a pure function from an event to what must be
/// done; it frees, keeps and lends memory by rules of its own, has bugs that a
/// user must guard against, and knows nothing of disks or threads. This class
/// is the one place that knows those rules. It keeps the entries that may
/// still be needed, applies only what is committed *and* stored here, and calls
/// its three users in the order that safety demands: vote, log, messages, apply.
///
/// One thread. Times are of a clock that never goes back, in milliseconds.
class raft_core {
public:
  using millisecond_clock = uint64_t;

  raft_core(raft_transport& transport, raft_persistence& persistence, raft_state_machine& machine);
  ~raft_core();

  /// Begins with what the disk held. A single voter is the leader afterwards.
  /// Fails with `damaged` if the core refuses the log.
  result<void> start(raft_start from, millisecond_clock now);

  /// Appends commands as entries of their own; the first gets index
  /// `last_index() + 1`. False: this replica is not the leader.
  bool submit(std::vector<log_entry::bytes> commands, millisecond_clock now);

  /// The entry at `index`, of `term`, and all before it are durable.
  void stored(uint64_t index, uint64_t term, millisecond_clock now);

  void receive(uint64_t from, const std::string& address, raft_message_body message,
               millisecond_clock now);

  /// To be called at `next_tick`; more often does no harm.
  void tick(millisecond_clock now);
  [[nodiscard]] millisecond_clock next_tick() const;

  /// The state holds everything up to `index`, durably: forget the log up to
  /// there, but for the last `keep` entries. Returns what to store for the next
  /// start before the entries are deleted; nothing: not now.
  std::optional<compaction_point> compact(uint64_t index, uint32_t keep, millisecond_clock now);

  [[nodiscard]] bool leader() const;
  [[nodiscard]] uint64_t term() const;
  [[nodiscard]] uint64_t commit_index() const;
  [[nodiscard]] uint64_t applied_index() const;
  [[nodiscard]] uint64_t last_index() const;
  [[nodiscard]] uint32_t voters() const;

private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

} // namespace novacron
