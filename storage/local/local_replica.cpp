#include "storage/local/local_replica.hpp"

#include "storage/backup/backup_writer.hpp"
#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"

#include <algorithm>
#include <random>
#include <rocksdb/write_batch.h>
#include <utility>

namespace novacron {

namespace {

uint64_t random_number() {
  std::random_device device;
  const auto number = uint64_t{device()} << 32 | device();
  return number == 0 ? 1 : number;
}

} // namespace

local_replica::local_replica(const replica_config& config)
    : config_{config}, inbox_{std::make_shared<inbox>(config.max_queued_bytes)} {
  // nop
}

local_replica::~local_replica() {
  if (!thread_.joinable())
    return;
  inbox_->stop();
  thread_.join();
}

uint64_t local_replica::now() {
  using namespace std::chrono;
  return static_cast<uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

// -- opening -----------------------------------------------------------------------

result<void> local_replica::open() {
  auto db = database::open(config_.folder,
                           {config_.cluster, config_.node, config_.timeline, config_.group});
  if (!db)
    return db.error();
  db_ = std::move(*db);
  if (const auto why = db_->meta("differs"); !why.empty())
    return make_failure(storage_errc::differs, "storage: " + config_.folder.string() + ": " + why
                                                   + "; " + std::string{replace_remedy});
  applier_ = std::make_unique<applier>(*db_, config_.keep_changes, *inbox_);
  feed_ = std::make_unique<feed_reader>(*db_);
  auto mark = applier_->load();
  if (!mark)
    return mark.error();
  auto log = log_store{*db_}.load(mark->index);
  if (!log)
    return log.error();
  identity_ = identify(*log);
  if (log->empty() && identity_.founder)
    begin_log(*log);
  compacted_ = log->first - 1;
  if (auto known = check_versions(*log); !known)
    return known;

  exports_ = std::make_unique<snapshot_exports>(*db_, identity_.session);
  fetch_ = std::make_unique<snapshot_fetch>(*db_, config_.transport, inbox_);
  peers_ = std::make_unique<peers>(identity_, config_.group, db_->timeline());
  core_ = std::make_unique<raft_core>(*this, *this, *this);
  changes_ = std::make_unique<membership_changes>(*core_, identity_.id, config_.election);
  barriers_ = std::make_unique<read_barriers>(*core_);
  disk_ = std::make_unique<disk_thread>(
      *db_, *log, [this](uint64_t index, uint64_t term) { inbox_->stored(index, term); },
      [this] {
        inbox_->post([this](bool stopping) {
          if (!stopping)
            core_->installed(now());
        });
      });
  raft_start start;
  start.id = identity_.id;
  start.address = to_string(config_.node);
  start.term = log->term;
  start.vote = log->vote;
  start.compacted = std::move(log->compacted);
  start.first = log->first;
  start.entries = std::move(log->entries);
  start.applied = mark->index;
  start.election = config_.election;
  start.heartbeat = config_.heartbeat;
  start.seed = static_cast<uint32_t>(random_number());
  if (auto started = core_->start(std::move(start), now()); !started) {
    disk_.reset(); // before the inbox that it reports to
    return started;
  }
  follow_members();
  publish();
  thread_ = std::thread{[this] { run(); }};
  return {};
}

own_identity local_replica::identify(const stored_log& log) {
  own_identity self;
  if (auto known = db_->meta("disk"); !known.empty()) {
    field_reader fields{known};
    self.disk = fields.number<uint64_t>();
    self.founder = fields.number<uint8_t>() != 0;
    self.session = fields.number<uint64_t>();
  } else {
    self.disk = random_number();
    self.founder = !config_.join || !log.empty();
  }
  ++self.session;
  self.id = self.founder ? founder_id(config_.node) : joined_id(config_.node, self.disk);
  rocksdb::WriteBatch batch;
  batch.Put(db_->in(column::meta), meta_key(config_.group, "disk"),
            field_writer{}
                .number(self.disk)
                .number(static_cast<uint8_t>(self.founder))
                .number(self.session)
                .take());
  db_->write(batch, database::durability::synced);
  return self;
}

void local_replica::begin_log(stored_log& log) {
  // Term 1 and the first entry, which is the same on all founders, come
  // together, or not at all.
  auto founders = config_.founders;
  if (std::find(founders.begin(), founders.end(), config_.node) == founders.end())
    founders.push_back(config_.node);
  membership first;
  for (auto node : founders)
    first.push_back({founder_id(node), to_string(member_address{node}), member_role::voter});
  auto data = std::make_shared<const log_entry::bytes>(encode_membership(first));
  log.entries.push_back({1, entry_kind::configuration, std::move(data)});
  log.term = 1;
  rocksdb::WriteBatch batch;
  log_store store{*db_};
  store.put_vote(batch, log.term, log.vote);
  store.append(batch, log.first, log.entries);
  db_->write(batch, database::durability::synced);
}

result<void> local_replica::check_versions(const stored_log& log) const {
  auto newer = [&](const std::string& what, uint32_t version) {
    return make_failure(storage_errc::unknown_version,
                        "storage: " + what + " in " + config_.folder.string()
                            + " is of cluster version " + std::to_string(version)
                            + ", this program knows " + std::to_string(known_cluster_version)
                            + "; update it");
  };
  for (size_t i = 0; i < log.entries.size(); ++i) {
    const auto& entry = log.entries[i];
    if (entry.kind != entry_kind::command || !entry.data)
      continue;
    auto batch = decode<command_batch>(*entry.data);
    if (batch && batch->cluster_version > known_cluster_version)
      return newer("entry " + std::to_string(log.first + i) + " of the log",
                   batch->cluster_version);
  }
  if (applier_->mark().version > known_cluster_version)
    return newer("the state", applier_->mark().version);
  return {};
}

// -- any thread --------------------------------------------------------------------

void local_replica::propose(std::vector<command> commands,
                            std::function<void(std::vector<command_outcome>)> done) {
  inbox_->propose({std::move(commands), std::move(done), 0});
}

void local_replica::read_barrier(std::function<void(result<uint64_t>)> done) {
  inbox_->barrier(std::move(done));
}

void local_replica::on_applied(std::function<void(uint64_t revision)> listener) {
  applier_->listen(std::move(listener));
}

result<feed_listing> local_replica::list(const list_request& request) {
  return feed_->list(request);
}

result<feed_changes> local_replica::changes_after(const pull_request& request) {
  return feed_->changes_after(request);
}

replica_status local_replica::status() const {
  std::lock_guard guard{status_mutex_};
  return status_;
}

void local_replica::receive(node_id from, std::span<const std::byte> message) {
  if (auto envelope = decode_envelope(message))
    inbox_->receive({from, std::move(*envelope)}, message.size());
}

result<snapshot_chunk> local_replica::read_snapshot(const snapshot_chunk_request& request) {
  return exports_->read(request, snapshot_exports::clock::now());
}

void local_replica::change_member(const member_change& wish,
                                  std::function<void(result<void>)> done) {
  inbox_->post([this, wish, told = std::move(done)](bool stopping) {
    if (stopping)
      told(make_failure(storage_errc::not_leader, "storage: this node is stopping"));
    else
      change(wish, told);
  });
}

void local_replica::hand_over(node_id to) {
  inbox_->post([this, to](bool stopping) {
    if (stopping)
      return;
    for (const auto& each : members_)
      if (auto address = parse_member_address(each.address);
          address && address->node == to && each.role == member_role::voter)
        core_->transfer(each.id, now());
  });
}

std::vector<lease_record> local_replica::leases() const {
  return applier_->leases();
}

std::vector<node_record> local_replica::nodes() const {
  return applier_->nodes();
}

result<backup_info> local_replica::back_up(const std::filesystem::path& folder, uint32_t keep,
                                           const std::stop_token& stop) {
  auto backups = backup_writer::open(folder);
  if (!backups)
    return backups.error();
  auto made = (*backups)->make(*db_, stop);
  if (made)
    if (auto pruned = (*backups)->keep_newest(keep); !pruned)
      return pruned.error();
  return made;
}

} // namespace novacron
