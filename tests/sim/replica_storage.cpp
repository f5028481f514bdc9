// A simulated replica's disk, and its snapshots.

#include "replica_node.hpp"
#include "storage/log/rolling_hash.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t chunk_timeout_ms = 200;
constexpr uint64_t most_chunk_failures = 8;

} // namespace

// -- persistence ---------------------------------------------------------------------

void replica_node::write(std::function<void()> batch, std::function<void()> done) {
  if (doomed_)
    return;
  auto told = done ? while_alive(std::move(done)) : std::function<void()>{};
  if (!disk_.submit(std::move(batch), std::move(told)))
    doomed_ = true;
}

void replica_node::store_vote(uint64_t term, uint64_t vote) {
  auto batch = [this, term, vote] {
    image_.term = term;
    image_.vote = vote;
  };
  if (!settings_.sync_votes)
    write(batch, {});
  else if (!doomed_ && !disk_.submit_synced(batch))
    doomed_ = true;
}

void replica_node::append(uint64_t first, std::span<const log_entry> entries) {
  std::vector<log_entry> all{entries.begin(), entries.end()};
  const auto last = first + all.size() - 1;
  const auto term = all.back().term;
  write([this, first, all] { image_.append(first, all); },
        [this, last, term] { turn([&] { core_->stored(last, term, all_.time.now()); }); });
}

void replica_node::truncate(uint64_t from) {
  write([this, from] { image_.truncate(from); }, {});
}

void replica_node::install(const raft_snapshot& snapshot) {
  write([this, snapshot, staged = staged_] { image_.install(snapshot, *staged); },
        [this] { turn([&] { core_->installed(all_.time.now()); }); });
}

std::vector<log_entry> replica_node::read(uint64_t first, size_t most) {
  std::vector<log_entry> some;
  for (auto i = first; i < first + most && i >= image_.first && i <= image_.last(); ++i)
    some.push_back(image_.entries[i - image_.first]);
  return some;
}

void replica_node::compact() {
  const auto applied = machine_.index;
  if (applied <= core_->compacted().index + settings_.compact_every)
    return;
  auto point = core_->compact(applied, static_cast<uint32_t>(settings_.keep_log), all_.time.now());
  if (!point)
    return;
  const auto up_to = applied > settings_.keep_log ? applied - settings_.keep_log : 0;
  write([this, made = *point, up_to] { image_.compact(made, up_to); }, {});
}

// -- snapshots -----------------------------------------------------------------------

std::optional<offered_snapshot> replica_node::snapshot() {
  all_.seen.hit(probe::snapshot_offered);
  auto newest = offers_.find(newest_offer_);
  if (newest == offers_.end() || newest->second->index < core_->compacted().index) {
    newest_offer_ = std::to_string(life_) + "." + std::to_string(machine_.index);
    if (offers_.size() >= 4)
      offers_.erase(offers_.begin());
    newest = offers_.emplace(newest_offer_, std::make_shared<machine_image>(machine_)).first;
  }
  return offered_snapshot{newest->second->index, newest_offer_};
}

void replica_node::fetch(uint64_t from, const raft_snapshot& snapshot) {
  fetch_ = fetch_under_way{from, snapshot, ++attempts_, 0, 0};
  ask_for_chunk(attempts_, 0);
}

void replica_node::ask_for_chunk(uint64_t attempt, uint64_t chunk) {
  auto owner = all_.replicas.at(fetch_->from);
  auto came = while_alive([this, attempt, chunk, owner] {
    if (!fetch_ || fetch_->attempt != attempt || fetch_->chunk != chunk)
      return;
    auto offer = owner->offers_.find(fetch_->snapshot.reference);
    if (!owner->up() || offer == owner->offers_.end()) {
      end_fetch(false); // what it offered went with the process
      return;
    }
    fetch_->failures = 0;
    if (++fetch_->chunk < settings_.snapshot_chunks) {
      ask_for_chunk(attempt, fetch_->chunk);
      return;
    }
    staged_ = offer->second;
    end_fetch(true);
  });
  const auto self = number_;
  all_.net.send(self, owner->number_, [this, self, owner, came] {
    if (owner->up())
      all_.net.send(owner->number_, self, came);
  });
  all_.time.after(chunk_timeout_ms, while_alive([this, attempt, chunk] {
                    if (!fetch_ || fetch_->attempt != attempt || fetch_->chunk != chunk)
                      return;
                    all_.seen.hit(probe::snapshot_chunk_lost);
                    if (++fetch_->failures == most_chunk_failures)
                      end_fetch(false);
                    else
                      ask_for_chunk(attempt, chunk);
                  }));
}

void replica_node::end_fetch(bool complete) {
  if (!complete)
    all_.seen.hit(probe::snapshot_given_up);
  fetch_.reset();
  turn([&] { core_->fetched(complete, all_.time.now()); });
}

void replica_node::restore(const raft_snapshot& snapshot) {
  machine_ = image_.machine;
  all_.seen.hit(probe::snapshot_installed);
  all_.check.restores(number_, snapshot.index, machine_.hash);
  if (owner_)
    owner_->restored(snapshot.index);
}

// -- a lost majority -----------------------------------------------------------------

uint64_t replica_node::held_index() const {
  auto held = image_.machine.index;
  for (auto i = std::max(held + 1, image_.first); i <= image_.last(); ++i) {
    const auto& entry = image_.entries[i - image_.first];
    if (entry.kind != entry_kind::command)
      continue;
    if (all_.check.contents_at(i) != rolling_hash(entry.term, *entry.data))
      break;
    held = i;
  }
  return held;
}

const machine_image& replica_node::recover(const command_batch& first,
                                           const replay_listener& replayed) {
  image_.begin_new_timeline(
      {{number_, "node-" + std::to_string(number_), member_role::voter}}, first,
      [&](uint64_t index, const log_entry& entry, const machine_image::applied& done) {
        all_.check.applies(number_, index, rolling_hash(entry.term, *entry.data),
                           image_.machine.hash, index);
        replayed(index, done);
      });
  all_.check.log_begins_at(image_.machine.index, image_.machine.hash);
  return image_.machine;
}

} // namespace novacron::sim
