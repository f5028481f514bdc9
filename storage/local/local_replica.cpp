#include "storage/local/local_replica.hpp"

#include "storage/errors.hpp"
#include "storage/local/entry_packing.hpp"

#include <algorithm>
#include <rocksdb/write_batch.h>
#include <utility>

namespace novacron {

namespace {

/// Proposals taken in one turn; the rest waits for the next.
constexpr size_t turn_bytes = 512u << 10;

/// The node's number in its group: libraft knows no uuids.
uint64_t raft_id_of(node_id node) {
  const auto folded = node.value.high ^ (node.value.low << 1 | node.value.low >> 63);
  return folded == 0 ? 1 : folded;
}

} // namespace

local_replica::local_replica(const replica_config& config)
    : config_{config}, id_{raft_id_of(config.node)}, inbox_{config.max_queued_bytes} {
  // nop
}

local_replica::~local_replica() {
  if (!thread_.joinable())
    return;
  inbox_.stop();
  thread_.join();
}

uint64_t local_replica::now() const {
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
  applier_ = std::make_unique<applier>(*db_, config_.keep_changes, inbox_);
  feed_ = std::make_unique<feed_reader>(*db_);
  auto mark = applier_->load();
  if (!mark)
    return mark.error();
  auto log = log_store{*db_}.load(mark->index);
  if (!log)
    return log.error();
  if (log->empty())
    if (auto begun = begin_log(*log); !begun)
      return begun;
  compacted_ = log->first - 1;
  for (size_t i = 0; i < log->entries.size(); ++i) {
    const auto& entry = log->entries[i];
    if (entry.kind != entry_kind::command || !entry.data)
      continue;
    auto batch = decode<command_batch>(*entry.data);
    if (batch && batch->cluster_version > known_cluster_version)
      return make_failure(storage_errc::unknown_version,
                          "storage: entry " + std::to_string(log->first + i) + " of the log in "
                              + config_.folder.string() + " is of cluster version "
                              + std::to_string(batch->cluster_version) + ", this program knows "
                              + std::to_string(known_cluster_version) + "; update it");
  }

  disk_ = std::make_unique<disk_thread>(
      *db_, *log, [this](uint64_t index, uint64_t term) { inbox_.stored(index, term); });
  core_ = std::make_unique<raft_core>(*this, *this, *this);
  raft_start start;
  start.id = id_;
  start.address = to_string(config_.node);
  start.term = log->term;
  start.vote = log->vote;
  start.compacted = std::move(log->compacted);
  start.first = log->first;
  start.entries = std::move(log->entries);
  start.applied = mark->index;
  start.election = config_.election;
  start.heartbeat = config_.heartbeat;
  start.seed = static_cast<uint32_t>(id_ ^ now());
  if (auto started = core_->start(std::move(start), now()); !started) {
    disk_.reset(); // before the inbox that it reports to
    return started;
  }
  publish();
  thread_ = std::thread{[this] { run(); }};
  return {};
}

result<void> local_replica::begin_log(stored_log& log) {
  // Term 1 and the first entry come together, or not at all.
  const raft_voter self{id_, to_string(config_.node)};
  auto data = std::make_shared<const log_entry::bytes>(initial_configuration({&self, 1}));
  log.entries.push_back({1, entry_kind::configuration, std::move(data)});
  log.term = 1;
  rocksdb::WriteBatch batch;
  log_store store{*db_};
  store.put_vote(batch, log.term, log.vote);
  store.append(batch, log.first, log.entries);
  db_->write(batch, database::durability::synced);
  return {};
}

// -- any thread --------------------------------------------------------------------

void local_replica::propose(std::vector<command> commands,
                            std::function<void(std::vector<command_outcome>)> done) {
  inbox_.propose({std::move(commands), std::move(done), 0});
}

void local_replica::read_barrier(std::function<void(result<uint64_t>)> done) {
  inbox_.barrier(std::move(done));
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

std::vector<lease_record> local_replica::leases() const {
  return applier_->leases();
}

result<void> local_replica::checkpoint(const std::filesystem::path& folder) {
  return db_->checkpoint(folder);
}

// -- what the core asks for ----------------------------------------------------------

void local_replica::send(uint64_t, raft_message_body) {
  // There is no one else yet.
}

void local_replica::store_vote(uint64_t term, uint64_t vote) {
  disk_->store_vote(term, vote);
}

void local_replica::append(uint64_t first, std::span<const log_entry> entries) {
  disk_->append(first, {entries.begin(), entries.end()});
}

void local_replica::truncate(uint64_t from) {
  disk_->truncate(from);
}

std::vector<log_entry> local_replica::read(uint64_t first, size_t most) {
  return log_store{*db_}.read(first, most);
}

void local_replica::apply(uint64_t index, const log_entry& entry) {
  applier_->apply(index, entry);
}

void local_replica::dropped(uint64_t index) {
  applier_->fail_from(index, command_errc::unknown_outcome,
                      "another leader took over; ask again with the same key");
}

void local_replica::leads(bool leader) {
  if (leader)
    term_began_ = core_->last_index();
  else
    lost_leadership_ = true; // answered at the end of the turn
}

// -- the thread ----------------------------------------------------------------------

void local_replica::run() {
  for (;;) {
    const auto tick = core_->next_tick();
    const auto wait = std::chrono::milliseconds{tick > now() ? tick - now() : 0};
    auto work = inbox_.take(inbox::clock::now() + wait, turn_bytes);
    const bool stop = work.stop;
    turn(std::move(work));
    if (stop)
      break;
  }
  end();
}

void local_replica::turn(inbox::work work) {
  for (auto& each : work.refused)
    each.done({});
  if (work.stored)
    core_->stored(work.stored->first, work.stored->second, now());
  if (!work.barriers.empty())
    ask_barriers(std::move(work.barriers));
  if (!work.proposals.empty())
    submit(std::move(work.proposals));
  if (now() >= core_->next_tick())
    core_->tick(now());
  applier_->write();
  publish(); // before the answers, so that who has one sees its revision
  applier_->answer();
  if (std::exchange(lost_leadership_, false) && !core_->leader())
    applier_->fail_from(0, command_errc::unknown_outcome,
                        "this node is no longer the leader; ask again with the same key");
  answer_barriers();
  compact_log();
}

log_entry::bytes local_replica::to_entry(std::span<const waiting_proposal> proposals) const {
  command_batch batch;
  batch.group = config_.group;
  batch.timeline = config_.timeline;
  batch.cluster_version = known_cluster_version;
  batch.time = config_.clock ? config_.clock()
                             : std::chrono::time_point_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now());
  for (const auto& each : proposals)
    batch.commands.insert(batch.commands.end(), each.commands.begin(), each.commands.end());
  return encode(batch);
}

void local_replica::submit(std::vector<waiting_proposal> proposals) {
  if (!core_->leader()) {
    for (auto& each : proposals) {
      each.done(all_refused(each.commands.size(), command_errc::not_leader,
                            "this node is not the leader"));
      inbox_.release(each.size_bytes);
    }
    return;
  }
  std::vector<proposal_extent> extents;
  for (const auto& each : proposals)
    extents.push_back({each.size_bytes, each.commands.size()});
  std::vector<log_entry::bytes> entries;
  const auto first = core_->last_index() + 1;
  auto index = first;
  auto next = proposals.begin();
  for (auto count : pack(extents)) {
    const auto end = next + static_cast<std::ptrdiff_t>(count);
    entries.push_back(to_entry({next, end}));
    // Before the submission, which may apply them.
    applier_->expect(index++, {std::make_move_iterator(next), std::make_move_iterator(end)});
    next = end;
  }
  if (!core_->submit(std::move(entries), now()))
    applier_->fail_from(first, command_errc::not_leader, "this node is not the leader");
}

void local_replica::ask_barriers(std::vector<barrier_callback> barriers) {
  if (!core_->leader()) {
    for (auto& done : barriers)
      done(make_failure(storage_errc::stopped, "this node is not the leader"));
    return;
  }
  // A single voter has applied whatever it acknowledged, once it has applied
  // its predecessor's log. Among several, only a committed entry shows that
  // nobody else leads; all that wait share one.
  auto index = term_began_;
  if (core_->voters() > 1) {
    index = core_->last_index() + 1;
    waiting_proposal one;
    one.commands.push_back({});
    one.commands.back().body = barrier{};
    if (!core_->submit({to_entry({&one, 1})}, now())) {
      for (auto& done : barriers)
        done(make_failure(storage_errc::stopped, "this node is not the leader"));
      return;
    }
  }
  for (auto& done : barriers)
    barriers_.push_back({index, std::move(done)});
}

void local_replica::answer_barriers() {
  while (!barriers_.empty()) {
    auto& first = barriers_.front();
    if (!core_->leader())
      first.done(make_failure(storage_errc::stopped, "this node is no longer the leader"));
    else if (core_->applied_index() >= first.index)
      first.done(applier_->mark().index);
    else
      return;
    barriers_.pop_front();
  }
}

void local_replica::compact_log() {
  const auto applied = applier_->mark().index;
  const uint64_t keep = config_.keep_log;
  if (applied <= keep || applied - keep <= compacted_ + keep / 4 + 1)
    return;
  auto point = core_->compact(applied, config_.keep_log, now());
  if (!point)
    return;
  compacted_ = applied - keep;
  disk_->compact(std::move(*point), compacted_);
}

void local_replica::publish() {
  replica_status status;
  status.leader = core_->leader();
  status.term = core_->term();
  status.commit_index = core_->commit_index();
  status.applied_index = applier_->mark().index;
  status.voters = core_->voters();
  status.timeline = config_.timeline;
  std::lock_guard guard{status_mutex_};
  status_ = status;
}

void local_replica::end() {
  disk_.reset(); // writes what waits; nobody learns of it any more
  applier_->fail_from(0, command_errc::unknown_outcome,
                      "this node is stopping; ask again with the same key");
  for (auto& each : barriers_)
    each.done(make_failure(storage_errc::stopped, "this node is stopping"));
  barriers_.clear();
  // What came in the meantime.
  auto late = inbox_.take(inbox::clock::now(), turn_bytes);
  for (auto& each : late.refused)
    each.done({});
  for (auto& each : late.proposals)
    each.done(
        all_refused(each.commands.size(), command_errc::unknown_outcome, "this node is stopping"));
  for (auto& done : late.barriers)
    done(make_failure(storage_errc::stopped, "this node is stopping"));
}

} // namespace novacron
