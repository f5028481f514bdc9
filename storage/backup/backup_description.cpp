#include "storage/backup/backup_description.hpp"

#include "storage/errors.hpp"
#include "storage/log/database.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/state_store.hpp"

#include <rocksdb/utilities/backup_engine.h>

namespace novacron {

namespace {

constexpr uint32_t description_version = 1;

} // namespace

std::string describe_backup(database& from) {
  const auto& whose = from.identity();
  return field_writer{}
      .number(description_version)
      .number(whose.cluster.value.high)
      .number(whose.cluster.value.low)
      .number(whose.node.value.high)
      .number(whose.node.value.low)
      .number(whose.timeline)
      .number(state_store{from}.mark().index)
      .take();
}

std::optional<backup_info> read_description(const rocksdb::BackupInfo& of) {
  backup_info x;
  x.number = of.backup_id;
  x.made_at = std::chrono::sys_seconds{std::chrono::seconds{of.timestamp}};
  x.bytes = of.size;
  field_reader fields{of.app_metadata};
  const auto version = fields.number<uint32_t>();
  x.cluster.value.high = fields.number<uint64_t>();
  x.cluster.value.low = fields.number<uint64_t>();
  x.node.value.high = fields.number<uint64_t>();
  x.node.value.low = fields.number<uint64_t>();
  x.timeline = fields.number<uint32_t>();
  x.revision = fields.number<uint64_t>();
  if (!fields.good() || version != description_version)
    return {};
  return x;
}

std::string backup_title(uint32_t number, const std::filesystem::path& folder) {
  return "backup " + std::to_string(number) + " in " + folder.string();
}

failure backup_failure(const rocksdb::Status& status, const std::string& what,
                       const std::string& remedy) {
  const auto code = status.IsCorruption() ? storage_errc::damaged : storage_errc::cannot_open;
  return make_failure(code, "backup: " + what + ": " + status.ToString() + "; " + remedy);
}

} // namespace novacron
