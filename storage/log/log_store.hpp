#pragma once

#include "storage/log/database.hpp"
#include "storage/replication/persistence.hpp"

#include <optional>
#include <span>
#include <vector>

namespace novacron {

/// What the database says of one group's log.
struct stored_log {
  uint64_t term = 0;
  uint64_t vote = 0;
  std::optional<compaction_point> compacted;
  uint64_t first = 1;
  std::vector<log_entry> entries; ///< contents only above `applied`, and of configurations

  [[nodiscard]] bool empty() const { return entries.empty() && !compacted && term == 0; }
  [[nodiscard]] uint64_t last() const {
    return entries.empty() && compacted ? compacted->index : first + entries.size() - 1;
  }
};

/// Read at once for a peer that is behind: many messages, and no long pause for
/// the others.
inline constexpr size_t most_read_bytes = 4u << 20;

/// The raft log's form in the database: what each change of it is in a write
/// batch, and how it is read. Writing them is the disk thread's business.
///
/// Column `log`: group, index → term (8 bytes), kind (1), data.
/// Column `meta`: "vote" → term, vote; "compacted" → index, term, index of the
/// configuration, configuration.
class log_store {
public:
  explicit log_store(database& db) : db_{db} {
    // nop
  }

  void put_vote(rocksdb::WriteBatch& batch, uint64_t term, uint64_t vote) const;
  void append(rocksdb::WriteBatch& batch, uint64_t first, std::span<const log_entry> entries) const;
  void truncate(rocksdb::WriteBatch& batch, uint64_t from) const;
  /// Deletes all entries up to `last`; the state holds what was before `point`.
  void compact(rocksdb::WriteBatch& batch, const compaction_point& point, uint64_t last) const;

  /// Deletes all entries: the log begins behind `point`.
  void wipe(rocksdb::WriteBatch& batch, const compaction_point& point) const;

  /// Reads it all, and checks that nothing is missing: neither in the middle
  /// nor, against the promise, at the end. Fails with `damaged`.
  [[nodiscard]] result<stored_log> load(uint64_t applied) const;

  /// Up to `most` entries from `first` on, and no more than `most_read_bytes` but for
  /// the first. Any thread.
  [[nodiscard]] std::vector<log_entry> read(uint64_t first, size_t most) const;

private:
  database& db_;
};

} // namespace novacron
