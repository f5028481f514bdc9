#include "storage/backup/backup_reader.hpp"

#include "storage/backup/backup_description.hpp"
#include "storage/errors.hpp"

#include <algorithm>
#include <rocksdb/utilities/backup_engine.h>

namespace novacron {

namespace fs = std::filesystem;

backup_reader::backup_reader(fs::path folder, std::unique_ptr<rocksdb::BackupEngineReadOnly> engine)
    : folder_{std::move(folder)}, engine_{std::move(engine)} {
  // nop
}

backup_reader::~backup_reader() = default;

result<std::unique_ptr<backup_reader>> backup_reader::open(const fs::path& folder) {
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::BackupEngineOptions options{folder.string()};
  if (auto status = rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(), options, &engine);
      !status.ok())
    return backup_failure(status, "cannot read the folder " + folder.string(),
                          "name the folder that backups were made in");
  return std::unique_ptr<backup_reader>{
      new backup_reader{folder, std::unique_ptr<rocksdb::BackupEngineReadOnly>{engine}}};
}

std::vector<backup_info> backup_reader::list() const {
  std::vector<rocksdb::BackupInfo> known;
  engine_->GetBackupInfo(&known);
  std::vector<backup_info> all;
  for (const auto& one : known)
    if (auto info = read_description(one))
      all.push_back(*info);
  std::ranges::sort(all, {}, &backup_info::number);
  return all;
}

result<backup_info> backup_reader::verify(uint32_t number) const {
  const auto all = list();
  const auto known = std::ranges::find(all, number, &backup_info::number);
  if (known == all.end())
    return make_failure(storage_errc::no_such_backup,
                        "backup: there is no " + backup_title(number, folder_)
                            + "; novacron backup ls shows those that there are");
  if (auto status = engine_->VerifyBackup(number, true); !status.ok())
    return make_failure(storage_errc::damaged, "backup: " + backup_title(number, folder_)
                                                   + " isn't what was written: " + status.ToString()
                                                   + "; use another one, and look at that disk");
  return *known;
}

result<backup_info> backup_reader::restore(uint32_t number, const fs::path& folder) const {
  std::error_code error;
  if (fs::exists(folder, error)
      && (!fs::is_directory(folder, error) || !fs::is_empty(folder, error)))
    return make_failure(storage_errc::cannot_open,
                        "backup: the folder " + folder.string()
                            + " isn't empty; name one that is: nothing is overwritten");
  auto info = verify(number);
  if (!info)
    return info;
  if (auto status = engine_->RestoreDBFromBackup(number, folder.string(), folder.string());
      !status.ok())
    return backup_failure(
        status, "cannot restore " + backup_title(number, folder_) + " to " + folder.string(),
        "see that its disk has room, empty the folder and try again");
  return info;
}

} // namespace novacron
