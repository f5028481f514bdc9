#pragma once

#include "storage/log/database.hpp"
#include "storage/log/keys.hpp"
#include "storage/state/cluster_state.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace novacron {

/// How far the stored state is, written in the same batch as the state itself.
struct applied_mark {
  uint64_t index = 0;
  log_time now;
  /// Over all changes, in canonical form, since the cluster's version is `sums_since`:
  /// programs of before hashed what they had encoded, which no other need agree with.
  uint64_t hash = 0;
  uint32_t version
      = 0; ///< the greatest cluster version of an entry; 0: not known, below `sums_since`

  friend bool operator==(const applied_mark&, const applied_mark&) = default;
};

/// The state's form in the database.
///
/// Column `state`: group, kind and generation, id → record, lease or answer.
/// Column `changes`: group, revision, ordinal → the hosts that it concerns
/// (2 bytes count, 16 bytes each), then the change.
/// Column `meta`: "applied" → the mark; "changes" → the last revision that is
/// not kept any more; "generation" → of the state that counts.
class state_store {
public:
  explicit state_store(database& db) : db_{db} {
    // nop
  }

  /// Adds what one command batch did, and goes on with the mark's hash.
  void put(rocksdb::WriteBatch& batch, const applied_batch& done, applied_mark& mark) const;
  void put_mark(rocksdb::WriteBatch& batch, const applied_mark& mark) const;
  /// Writes all records of `from`, which is the stored state, as of this revision; without a
  /// change for the feed.
  void restamp(rocksdb::WriteBatch& batch, const cluster_state& from, uint64_t revision) const;
  /// Forgets the changes up to `revision`.
  void forget_changes(rocksdb::WriteBatch& batch, uint64_t revision) const;

  /// Deletes all of a generation that doesn't count.
  void forget_state(rocksdb::WriteBatch& batch, state_generation which) const;
  /// Makes `which` the state that counts: it is a snapshot with this mark. All
  /// changes are forgotten, as it came without them.
  void flip(rocksdb::WriteBatch& batch, state_generation which, const applied_mark& mark) const;

  /// Fails with `damaged`.
  [[nodiscard]] result<applied_mark> load(cluster_state& into);

  /// Of the stored state. Any thread.
  [[nodiscard]] applied_mark mark(const rocksdb::Snapshot* at = nullptr) const;
  /// Of the stored state. Any thread.
  [[nodiscard]] state_generation generation(const rocksdb::Snapshot* at = nullptr) const;
  /// Changes up to here are not kept any more. Any thread.
  [[nodiscard]] uint64_t forgotten(const rocksdb::Snapshot* at = nullptr) const;

private:
  database& db_;
  state_generation written_ = state_generation::even; ///< where `put` writes; set by `load`
};

/// A value of the `changes` column.
struct stored_change {
  std::vector<node_id> audience;
  std::span<const std::byte> encoded;
};
std::optional<stored_change> read_stored_change(std::string_view value);

} // namespace novacron
