#pragma once

#include "messages/backup.hpp"
#include "messages/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace rocksdb {
struct BackupInfo;
class Status;
} // namespace rocksdb

namespace novacron {

class database;

/// What is written beside a backup, so that it says of what it is.
std::string describe_backup(database& from);

/// What RocksDB knows of a backup, with our description of it; nothing: not ours.
std::optional<backup_info> read_description(const rocksdb::BackupInfo& of);

/// "backup 7 in /var/backups/novacron"
std::string backup_title(uint32_t number, const std::filesystem::path& folder);

/// `damaged` or `cannot_open`: "backup: <what>: <RocksDB's reason>; <remedy>".
failure backup_failure(const rocksdb::Status& status, const std::string& what,
                       const std::string& remedy);

} // namespace novacron
