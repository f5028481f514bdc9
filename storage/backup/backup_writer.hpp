#pragma once

#include "messages/backup.hpp"
#include "messages/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>

namespace rocksdb {
class BackupEngine;
} // namespace rocksdb

namespace novacron {

class database;

/// Adds backups of one replica's database to a folder.
///
/// They are RocksDB's own (`BackupEngine`): each names the files that it needs, and a
/// file that an earlier backup has is not copied again. Each file's checksum is kept;
/// one that a crash left half-done doesn't count, and goes when the folder is opened.
///
/// One at a time for a folder. All calls block for as long as the disks take; not on an
/// actor's thread.
class backup_writer {
public:
  ~backup_writer();

  /// Opens or makes the folder. Fails with `cannot_open`.
  static result<std::unique_ptr<backup_writer>> open(const std::filesystem::path& folder);

  /// Copies what has changed since the last backup, syncs it, and reads the copy back to
  /// compare it with the checksums. The database may be written to meanwhile. Fails with
  /// `cannot_open` when a disk does, with `damaged` when the copy isn't what was read
  /// (then it is deleted again), with `stopped` when `stop` is requested; then nothing
  /// more can be made by this object.
  result<backup_info> make(database& from, const std::stop_token& stop = {});

  /// Deletes all but the newest `count`, and the files that only those needed.
  result<void> keep_newest(uint32_t count);

private:
  backup_writer(std::filesystem::path folder, std::unique_ptr<rocksdb::BackupEngine> engine);

  std::filesystem::path folder_;
  std::unique_ptr<rocksdb::BackupEngine> engine_;
};

} // namespace novacron
