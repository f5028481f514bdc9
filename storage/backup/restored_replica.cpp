#include "storage/backup/restored_replica.hpp"

#include "messages/durable_file.hpp"
#include "storage/errors.hpp"
#include "storage/log/database.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <rocksdb/write_batch.h>

namespace novacron {

namespace {

namespace fs = std::filesystem;

failure cannot(const std::string& what, const fs::path& where, const std::string& why) {
  return make_failure(storage_errc::cannot_open,
                      "backup: cannot " + what + " " + where.string() + ": " + why
                          + "; see that its disk can be written, and try again");
}

uint64_t new_disk() {
  std::random_device chance;
  return uint64_t{chance()} << 32 | chance() | 1;
}

/// A copy of some replica becomes this node's, on a disk that nobody knows.
result<void> take_over(const fs::path& folder, const backup_info& info, uint32_t last_timeline,
                       const replica_config& config) {
  auto db = database::open(folder, {info.cluster, info.node, 0, config.group});
  if (!db)
    return db.error();
  rocksdb::WriteBatch batch;
  (*db)->put_owner(batch, config.node);
  (*db)->put_timeline(batch, last_timeline);
  batch.Put((*db)->in(column::meta), meta_key(config.group, "disk"),
            field_writer{}.number(new_disk()).number(uint8_t{0}).number(uint64_t{0}).take());
  (*db)->write(batch, database::durability::buffered); // whoever opens it next writes behind it
  return {};
}

} // namespace

result<folder_outlook> restore_replica(const backup_reader& from, uint32_t number,
                                       const replica_config& config, command then) {
  const auto all = from.list();
  const auto known = std::ranges::find(all, number, &backup_info::number);
  if (known != all.end() && known->cluster != config.cluster)
    return make_failure(storage_errc::foreign, "backup: it is of cluster "
                                                   + to_string(known->cluster) + ", not "
                                                   + to_string(config.cluster)
                                                   + "; name this cluster's folder of backups");
  std::error_code error;
  if (fs::exists(config.folder, error) && !fs::is_empty(config.folder, error))
    return cannot("restore to", config.folder, "it isn't empty, and nothing is overwritten");
  auto unfinished = config;
  unfinished.folder += ".restoring";
  fs::remove_all(unfinished.folder, error);
  if (error)
    return cannot("empty", unfinished.folder, error.message());
  // The cluster may have been recovered since this backup was made.
  const auto last = std::ranges::max_element(all, {}, &backup_info::timeline);
  auto info = from.restore(number, unfinished.folder);
  if (!info)
    return info.error();
  if (auto taken = take_over(unfinished.folder, *info, last->timeline, config); !taken)
    return taken.error();
  auto outlook = begin_new_timeline(unfinished, std::move(then));
  if (!outlook)
    return outlook;
  fs::remove(config.folder, error); // an empty one
  fs::rename(unfinished.folder, config.folder, error);
  if (error)
    return cannot("move to", config.folder, error.message());
  if (!sync_folder(config.folder.parent_path()))
    return cannot("sync the folder of", config.folder, std::strerror(errno));
  return outlook;
}

} // namespace novacron
