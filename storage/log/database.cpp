#include "storage/log/database.hpp"

#include "messages/durable_file.hpp"
#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>
#include <vector>

namespace novacron {

namespace {

namespace fs = std::filesystem;

constexpr uint32_t format_version = 1;

/// A failed flush or compaction is a failed write: what it was to make room for
/// comes next. A write that fails is noticed by the thread that made it, before any
/// other can find the file in that state: to that RocksDB has an assertion, and the
/// process would end without a reason.
class end_on_error final : public rocksdb::EventListener {
public:
  explicit end_on_error(fs::path folder) : folder_{std::move(folder)} {
    // nop
  }

  bool ShouldBeNotifiedOnFileIO() override { return true; }
  void OnIOError(const rocksdb::IOErrorInfo& what) override {
    if (what.operation != rocksdb::FileOperationType::kRead)
      database::give_up(folder_, what.io_status.ToString());
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    database::give_up(folder_, status->ToString());
  }

private:
  fs::path folder_;
};

rocksdb::DBOptions options_for(const fs::path& folder) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // No silent repair. What the WAL can't vouch for is missing, not skipped:
  // only a record that was being written when the process died may be cut.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.max_bgerror_resume_count = 0;
  options.paranoid_checks = true;
  options.recycle_log_file_num = 0;
  options.max_total_wal_size = 256u << 20;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4u << 20;
  options.max_open_files = 512;
  options.listeners.push_back(std::make_shared<end_on_error>(folder));
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_descriptors() {
  rocksdb::ColumnFamilyOptions plain;
  plain.write_buffer_size = 16u << 20;
  plain.compression = rocksdb::kNoCompression;
  auto log = plain; // entries should die in memory, before they are compacted
  log.write_buffer_size = 64u << 20;
  return {{"default", plain}, {"log", log}, {"meta", plain}, {"state", plain}, {"changes", plain}};
}

failure cannot_open(const fs::path& folder, const std::string& why, const std::string& remedy) {
  return make_failure(storage_errc::cannot_open, "storage: cannot open the state's folder "
                                                     + folder.string() + ": " + why + "; "
                                                     + remedy);
}

std::string encode(const database_identity& x) {
  return field_writer{}
      .number(format_version)
      .number(x.cluster.value.high)
      .number(x.cluster.value.low)
      .number(x.node.value.high)
      .number(x.node.value.low)
      .number(x.timeline)
      .number(x.group)
      .take();
}

database_identity decode_identity(std::string_view text) {
  field_reader fields{text};
  fields.number<uint32_t>();
  database_identity x;
  x.cluster.value.high = fields.number<uint64_t>();
  x.cluster.value.low = fields.number<uint64_t>();
  x.node.value.high = fields.number<uint64_t>();
  x.node.value.low = fields.number<uint64_t>();
  x.timeline = fields.number<uint32_t>();
  x.group = fields.number<uint32_t>();
  return x;
}

/// What opening writes before it can say anything, and more. RocksDB ends the process by an
/// assertion when it finds no room in the middle of that.
constexpr size_t needed_to_open = size_t{1} << 20;

/// Whether so much can be written there; else the reason why not.
std::optional<std::string> cannot_write(const fs::path& folder) {
  const auto file = folder / "room";
  const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return std::strerror(errno);
  const std::vector<char> bytes(needed_to_open, 'x');
  size_t done = 0;
  ssize_t count = 0;
  while (done < bytes.size() && (count = ::write(fd, bytes.data() + done, bytes.size() - done)) > 0)
    done += static_cast<size_t>(count);
  std::optional<std::string> why;
  if (done < bytes.size() || ::fsync(fd) != 0)
    why = std::strerror(errno);
  ::close(fd);
  ::unlink(file.c_str());
  return why;
}

std::string describe(const database_identity& x) {
  return "cluster " + to_string(x.cluster) + ", node " + to_string(x.node) + ", timeline "
         + std::to_string(x.timeline) + ", group " + std::to_string(x.group);
}

} // namespace

database::~database() {
  if (!db_)
    return;
  for (auto handle : handles_)
    if (handle)
      db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

result<std::unique_ptr<database>> database::open(const fs::path& folder,
                                                 const database_identity& identity) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder))
    return cannot_open(folder, error ? error.message() : "it is not a folder",
                       "name a folder that this user may write");
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
    return cannot_open(folder, "it cannot be written", "give this user the folder");
  if (made && !sync_folder(folder.parent_path())) // what RocksDB syncs lies in it
    return cannot_open(folder, std::strerror(errno), "see that its disk can be written");
  if (const auto why = cannot_write(folder))
    return cannot_open(folder, "1 MiB can't be written there: " + *why,
                       "nothing acknowledged is lost: make room on that disk");
  const bool exists = fs::exists(folder / "CURRENT");
  if (!exists && promise_file::read(folder))
    return make_failure(storage_errc::damaged,
                        "storage: the database in " + folder.string()
                            + " is gone, but promises were made from it; restore a backup into "
                              "an empty folder, under a new timeline");

  std::unique_ptr<database> self{new database};
  self->folder_ = folder;
  self->identity_ = identity;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  auto status = rocksdb::DB::Open(options_for(folder), folder.string(), column_descriptors(),
                                  &handles, &db);
  if (!status.ok()) {
    if (status.IsCorruption())
      return make_failure(storage_errc::damaged,
                          "storage: the database in " + folder.string()
                              + " is damaged: " + status.ToString()
                              + "; restore a backup into an empty folder, under a new timeline");
    return cannot_open(folder, status.ToString(),
                       "see that no other process uses it and that the disk can be written");
  }
  self->db_.reset(db);
  db->DestroyColumnFamilyHandle(handles[0]);
  std::copy(handles.begin() + 1, handles.end(), self->handles_.begin());
  if (auto known = self->identify(identity); !known)
    return known.error();
  auto promise = promise_file::open(folder);
  if (!promise)
    return promise.error();
  self->promise_ = std::move(*promise);
  return self;
}

result<void> database::identify(const database_identity& identity) {
  std::string known;
  auto status = db_->Get(rocksdb::ReadOptions{}, in(column::meta), meta_key(0, "identity"), &known);
  if (!status.ok() && !status.IsNotFound())
    return make_failure(storage_errc::damaged, "storage: cannot read the database in "
                                                   + folder_.string() + ": " + status.ToString());
  if (known.empty()) {
    // Without an identity it died being made, or lost what it had.
    if (promise_file::read(folder_))
      return make_failure(storage_errc::damaged,
                          "storage: the database in " + folder_.string()
                              + " has lost everything that was promised from it; restore a "
                                "backup into an empty folder, under a new timeline");
    rocksdb::WriteBatch batch;
    batch.Put(in(column::meta), meta_key(0, "identity"), encode(identity));
    write(batch, durability::synced);
    return {};
  }
  if (known == encode(identity))
    return {};
  auto of_its_timeline = identity;
  of_its_timeline.timeline = decode_identity(known).timeline;
  if (identity.timeline == 0 && known == encode(of_its_timeline)) {
    identity_ = of_its_timeline;
    return {};
  }
  if (field_reader{known}.number<uint32_t>() != format_version)
    return make_failure(storage_errc::unknown_version,
                        "storage: the database in " + folder_.string()
                            + " has a format that this version does not know; use the version "
                              "that wrote it");
  return make_failure(storage_errc::foreign, "storage: the folder " + folder_.string()
                                                 + " belongs to " + describe(decode_identity(known))
                                                 + ", not to " + describe(identity)
                                                 + "; name this node's own folder");
}

void database::put_timeline(rocksdb::WriteBatch& batch, uint32_t timeline) {
  identity_.timeline = timeline;
  batch.Put(in(column::meta), meta_key(0, "identity"), encode(identity_));
}

void database::put_owner(rocksdb::WriteBatch& batch, node_id node) {
  identity_.node = node;
  batch.Put(in(column::meta), meta_key(0, "identity"), encode(identity_));
}

void database::write(rocksdb::WriteBatch& batch, durability wanted) {
  rocksdb::WriteOptions options;
  options.sync = wanted == durability::synced;
  if (auto status = db_->Write(options, &batch); !status.ok())
    give_up(folder_, status.ToString());
}

std::string database::meta(const std::string& name, const rocksdb::Snapshot* at) const {
  rocksdb::ReadOptions options;
  options.snapshot = at;
  std::string value;
  auto status = db_->Get(options, in(column::meta), meta_key(identity_.group, name), &value);
  if (!status.ok() && !status.IsNotFound())
    give_up(folder_, status.ToString());
  return value;
}

void database::promise(const promise_file::promise& made, durability wanted) {
  if (!promise_.write(made) || (wanted == durability::synced && !promise_.sync()))
    give_up(folder_, std::string{"cannot write PROMISED: "} + std::strerror(errno));
}

void database::give_up(const fs::path& folder, const std::string& reason,
                       const std::string& remedy) {
  const auto line = "novacron: storage: cannot go on with " + folder.string() + ": " + reason + "; "
                    + (remedy.empty() ? "nothing acknowledged is lost: free or replace the disk, "
                                        "then start this node again"
                                      : remedy)
                    + '\n';
  // One write, and no destructors: other threads are still at work.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
  std::_Exit(disk_failure_status);
}

} // namespace novacron
