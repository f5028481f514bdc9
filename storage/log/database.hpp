#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"
#include "storage/log/promise.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <string>

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Snapshot;
class Status;
class WriteBatch;
} // namespace rocksdb

namespace novacron {

/// Whose database it is. Another one's is never opened: a replica that votes
/// with another's log would break its promises.
struct database_identity {
  cluster_id cluster;
  node_id node;
  uint32_t timeline = 0; ///< to open with: 0 takes whatever the folder says
  uint32_t group = 0;

  friend bool operator==(const database_identity&, const database_identity&) = default;
};

/// Column families: the log, small records about it, the records of the state,
/// and the changes that made them.
enum class column : uint8_t { log, meta, state, changes };
inline constexpr size_t columns = 4;

/// One RocksDB with one WAL, opened the strict way: no repair behind our back,
/// and the process ends at the first failed write. What was acknowledged is on
/// the disk; a process that can't write must stop promising.
///
/// Reading and writing are safe from any thread.
class database {
public:
  ~database();

  /// Opens the database in `folder`, or makes it if the folder is empty or
  /// missing. Fails with `cannot_open`, `foreign` or `damaged`.
  static result<std::unique_ptr<database>> open(const std::filesystem::path& folder,
                                                const database_identity& identity);

  [[nodiscard]] rocksdb::DB& rocks() const { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* in(column which) const {
    return handles_[static_cast<size_t>(which)];
  }
  [[nodiscard]] const database_identity& identity() const { return identity_; }
  [[nodiscard]] uint32_t group() const { return identity_.group; }
  [[nodiscard]] uint32_t timeline() const { return identity_.timeline; }
  /// Says in `batch` that the database belongs to another timeline from now on.
  void put_timeline(rocksdb::WriteBatch& batch, uint32_t timeline);
  /// Whose it is after this batch: of a copy, before anybody votes with it.
  void put_owner(rocksdb::WriteBatch& batch, node_id node);
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  enum class durability : uint8_t { buffered, synced };
  /// Writes all or nothing. Ends the process if it fails.
  void write(rocksdb::WriteBatch& batch, durability wanted);

  /// The value under `name` in the meta column; empty if there is none.
  [[nodiscard]] std::string meta(const std::string& name,
                                 const rocksdb::Snapshot* at = nullptr) const;

  /// What is in the log must reach this far. One thread. Ends the process if it fails.
  void promise(const promise_file::promise& made, durability wanted = durability::buffered);

  /// Ends the process: a line on standard error that names the folder, the
  /// reason and the remedy; empty: that for a failed write. Says nothing twice.
  [[noreturn]] static void give_up(const std::filesystem::path& folder, const std::string& reason,
                                   const std::string& remedy = {});

private:
  database() = default;
  result<void> identify(const database_identity& identity);

  std::filesystem::path folder_;
  database_identity identity_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, columns> handles_{};
  promise_file promise_;
};

/// Status of a process that ended because its disk failed; sysexits.h calls it EX_IOERR.
inline constexpr int disk_failure_status = 74;

} // namespace novacron
