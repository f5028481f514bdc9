#pragma once

#include "storage/log/state_store.hpp"
#include "storage/replication/replica_transport.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace novacron {

/// What a snapshot's reference says; the rest of it tells exports apart.
struct snapshot_reference {
  uint64_t session = 0; ///< of the replica that offers it
  uint64_t number = 0;
  applied_mark mark;

  friend bool operator==(const snapshot_reference&, const snapshot_reference&) = default;
};
std::string to_text(const snapshot_reference& reference);
std::optional<snapshot_reference> read_snapshot_reference(std::string_view text);

/// Lends this replica's state to others that are too far behind.
///
/// An export is a RocksDB snapshot: a moment of the database, pinned in memory,
/// for as long as somebody reads it. It costs nothing to make, no files that a
/// crash would leave behind, and no second database that would have to be
/// opened. Chunks are records in the order of their keys, and a chunk's end is
/// the next one's beginning, so that a fetch goes on wherever it stopped.
///
/// Safe from any thread.
class snapshot_exports {
public:
  using clock = std::chrono::steady_clock;

  snapshot_exports(database& db, uint64_t session) : db_{db}, state_{db}, session_{session} {
    // nop
  }
  ~snapshot_exports();
  snapshot_exports(const snapshot_exports&) = delete;
  snapshot_exports& operator=(const snapshot_exports&) = delete;

  /// The written state, at or beyond `least`. The same one as before if it is
  /// new enough.
  snapshot_reference offer(uint64_t least, clock::time_point now);

  /// Lets go of what nobody has read for a minute. To be called now and then.
  void release_idle(clock::time_point now);

  /// Fails with `stopped` if the export is not there any more: the leader will
  /// offer another.
  result<snapshot_chunk> read(const snapshot_chunk_request& request, clock::time_point now);

private:
  struct pinned {
    const rocksdb::Snapshot* at = nullptr;
    snapshot_reference reference;
    state_generation generation = state_generation::even;
    clock::time_point used;
    int readers = 0;
  };

  /// Lets go of what nobody reads and `which` holds for, oldest first.
  template <class Which>
  void release(Which which);

  database& db_;
  state_store state_;
  const uint64_t session_;
  std::mutex mutex_;
  uint64_t last_number_ = 0;
  std::map<uint64_t, pinned> pinned_;
};

} // namespace novacron
