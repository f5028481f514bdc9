#pragma once

#include "storage/replication/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace novacron {

/// A state that others can fetch.
struct offered_snapshot {
  uint64_t index = 0;    ///< applied up to here
  std::string reference; ///< under which `read_snapshot` of the owner knows it
};

/// What the log is for. Used by the consensus core.
///
/// Must guarantee:
/// - Equal entries make equal states on every replica.
/// - Its durable state is never ahead of the durable log.
/// - None of these calls back into the core.
class raft_state_machine {
public:
  virtual ~raft_state_machine() = default;

  /// The entry at `index` is committed and stored here. Called for commands
  /// only, once for each, in order.
  virtual void apply(uint64_t index, const log_entry& entry) = 0;

  /// The entry at `index` and all after it will not be committed as they were.
  virtual void dropped(uint64_t index) = 0;

  /// This replica became the leader of its term, or no longer is.
  virtual void leads(bool leader) = 0;

  /// A state for a peer that is too far behind, durable, at or beyond the last
  /// compaction. Cheap, as it is asked again and again: the same one may be
  /// offered as long as it is new enough. Nothing: not now.
  virtual std::optional<offered_snapshot> snapshot() = 0;

  /// Fetches a snapshot from its owner and stages it beside the state, which
  /// stays as it is. Then, later, `raft_core::fetched`, with or without
  /// success. A fetch of another snapshot that is under way is given up.
  virtual void fetch(uint64_t from, const raft_snapshot& snapshot) = 0;

  /// `raft_persistence::install` is done: the state is now this snapshot.
  virtual void restore(const raft_snapshot& snapshot) = 0;
};

} // namespace novacron
