#include "storage/backup/backup_writer.hpp"

#include "messages/durable_file.hpp"
#include "storage/backup/backup_description.hpp"
#include "storage/errors.hpp"
#include "storage/log/database.hpp"

#include <rocksdb/utilities/backup_engine.h>

namespace novacron {

namespace fs = std::filesystem;

backup_writer::backup_writer(fs::path folder, std::unique_ptr<rocksdb::BackupEngine> engine)
    : folder_{std::move(folder)}, engine_{std::move(engine)} {
  // nop
}

backup_writer::~backup_writer() = default;

result<std::unique_ptr<backup_writer>> backup_writer::open(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) // else RocksDB says what is wrong with it
    sync_folder(folder.parent_path());
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::BackupEngineOptions options{folder.string()};
  if (auto status = rocksdb::BackupEngine::Open(rocksdb::Env::Default(), options, &engine);
      !status.ok())
    return backup_failure(status, "cannot open the folder " + folder.string(),
                          "name a folder that this user may write");
  return std::unique_ptr<backup_writer>{
      new backup_writer{folder, std::unique_ptr<rocksdb::BackupEngine>{engine}}};
}

result<backup_info> backup_writer::make(database& from, const std::stop_token& stop) {
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = true; // then tables hold it all, and the next backup shares them
  options.decrease_background_thread_cpu_priority = true;
  rocksdb::BackupID number = 0;
  const std::stop_callback stopping{stop, [this] { engine_->StopBackup(); }};
  rocksdb::Status status = engine_->CreateNewBackupWithMetadata(options, &from.rocks(),
                                                                describe_backup(from), &number);
  if (status.IsIncomplete())
    return make_failure(storage_errc::stopped, "backup: stopped with its replica");
  if (!status.ok())
    return backup_failure(status, "cannot copy the state to " + folder_.string(),
                          "see that its disk has room and can be written");
  rocksdb::BackupInfo made;
  status = engine_->VerifyBackup(number, true);
  if (status.ok())
    status = engine_->GetBackupInfo(number, &made);
  auto info = status.ok() ? read_description(made) : std::nullopt;
  if (info)
    return *info;
  engine_->DeleteBackup(number).PermitUncheckedError(); // the other failure is the one to tell
  return backup_failure(status, backup_title(number, folder_) + " isn't what was read",
                        "look at that disk");
}

result<void> backup_writer::keep_newest(uint32_t count) {
  if (auto status = engine_->PurgeOldBackups(count); !status.ok())
    return backup_failure(status, "cannot delete old backups in " + folder_.string(),
                          "see that its disk can be written");
  return {};
}

} // namespace novacron
