#pragma once

#include "storage/replication/messages.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace novacron {

/// A log's beginning that is no longer there, because the state holds it.
struct compaction_point {
  uint64_t index = 0;
  uint64_t term = 0;
  uint64_t configuration_index = 0;
  log_entry::bytes configuration;

  friend bool operator==(const compaction_point&, const compaction_point&) = default;
};

/// Keeps the log on the disk. Used by the consensus core.
///
/// Must guarantee:
/// - What was asked is done in the order in which it was asked, also across a
///   crash: what survives is the result of the first n requests.
/// - Once something was reported as stored it survives any crash. A write that
///   fails ends the process: the core takes failed writes for impossible.
/// - None of these calls back into the core.
class raft_persistence {
public:
  virtual ~raft_persistence() = default;

  /// Durable when it returns: a vote that is forgotten could be given twice.
  /// Messages that rest on it are sent afterwards.
  virtual void store_vote(uint64_t term, uint64_t vote) = 0;

  /// Appends `entries`, of which the first gets index `first`. Once they are
  /// durable, `raft_core::stored` is called with the last one, later.
  virtual void append(uint64_t first, std::span<const log_entry> entries) = 0;

  /// Drops the entry at `from` and all after it: a new leader never had them.
  virtual void truncate(uint64_t from) = 0;

  /// Makes the snapshot that the state machine has fetched the state, and the
  /// log empty behind it: both or none, whatever crashes. Contents are written
  /// beforehand, under keys of a new generation that nobody reads; this flips
  /// to them, deletes the log and stores the snapshot's place as the log's
  /// beginning in one synced batch. Then, later, `raft_core::installed`.
  virtual void install(const raft_snapshot& snapshot) = 0;

  /// Up to `most` entries from `first` on, which are in the log and stored. Fewer
  /// where they would take too much memory at once, but one at least.
  virtual std::vector<log_entry> read(uint64_t first, size_t most) = 0;
};

} // namespace novacron
