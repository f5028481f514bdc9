#pragma once

#include "storage/replication/membership.hpp"
#include "storage/replication/messages.hpp"
#include "storage/replication/persistence.hpp"
#include "storage/state/cluster_state.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace novacron::sim {

/// A state machine's state, with what tells it from others.
struct machine_image {
  cluster_state state;
  uint64_t index = 0; ///< of the last command applied
  uint64_t hash = 0;  ///< over all changes since the beginning

  struct applied {
    command_batch batch;
    applied_batch result;
  };
  /// Applies an entry's command batch.
  applied apply(uint64_t at, const log_entry& entry);
};

/// What a replica's disk holds: the parts of its database.
struct replica_image {
  uint64_t term = 0;
  uint64_t vote = 0;
  std::optional<compaction_point> compacted;
  uint64_t first = 1;
  std::vector<log_entry> entries;
  machine_image machine;

  [[nodiscard]] uint64_t last() const { return first + entries.size() - 1; }

  void append(uint64_t at, const std::vector<log_entry>& more);
  void truncate(uint64_t from);
  void compact(const compaction_point& point, uint64_t up_to);
  void install(const raft_snapshot& snapshot, const machine_image& with);
  /// As `begin_new_timeline` of storage/local does to a folder: a higher term, in which `self`
  /// is the only voter; all that is in the log counts, then `first`; and the log begins
  /// anew, far behind its end, as do all records' revisions. `replayed` hears of each entry
  /// that is applied.
  using listener = std::function<void(uint64_t index, const log_entry& entry,
                                      const machine_image::applied& done)>;
  void begin_new_timeline(const membership& self, const command_batch& first,
                          const listener& replayed);
};

} // namespace novacron::sim
