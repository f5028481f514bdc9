#pragma once

#include "messages/backup.hpp"
#include "messages/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace rocksdb {
class BackupEngineReadOnly;
} // namespace rocksdb

namespace novacron {

/// Reads a folder of backups, see `backup_writer`. Changes nothing there, and sees what
/// was there when it was opened; another process may be adding a backup meanwhile.
///
/// All calls block for as long as the disks take; not on an actor's thread.
class backup_reader {
public:
  ~backup_reader();

  /// Fails with `cannot_open`.
  static result<std::unique_ptr<backup_reader>> open(const std::filesystem::path& folder);

  /// Oldest first. Those that can't be read are not among them.
  [[nodiscard]] std::vector<backup_info> list() const;

  /// Compares all files with their checksums. Fails with `no_such_backup` or `damaged`.
  [[nodiscard]] result<backup_info> verify(uint32_t number) const;

  /// Verifies it, then writes the database as it was into `folder`, which must be missing
  /// or empty. It still says whose it was: who restores it makes it the beginning of a new
  /// timeline. Fails with `no_such_backup`, `damaged` or `cannot_open`.
  [[nodiscard]] result<backup_info> restore(uint32_t number,
                                            const std::filesystem::path& folder) const;

private:
  backup_reader(std::filesystem::path folder,
                std::unique_ptr<rocksdb::BackupEngineReadOnly> engine);

  std::filesystem::path folder_;
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine_;
};

} // namespace novacron
