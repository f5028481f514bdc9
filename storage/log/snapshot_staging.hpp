#pragma once

#include "storage/log/snapshot_exports.hpp"

namespace novacron {

/// Writes a snapshot that is being fetched beside the state, under keys of the
/// other generation, which nobody reads. Not synced: what makes it the state is
/// one synced write behind it in the same WAL (`disk_thread::install`).
///
/// One thread.
class snapshot_staging {
public:
  explicit snapshot_staging(database& db) : db_{db}, state_{db} {
    // nop
  }

  /// Begins anew: whatever was staged is deleted.
  void begin();
  /// False: the chunk is damaged; ask for it again.
  bool add(const snapshot_chunk& chunk);
  [[nodiscard]] state_generation generation() const { return staged_; }

private:
  database& db_;
  state_store state_;
  state_generation staged_ = state_generation::odd;
};

} // namespace novacron
