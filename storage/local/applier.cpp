#include "storage/local/applier.hpp"

#include "storage/errors.hpp"

#include <algorithm>
#include <iterator>
#include <rocksdb/write_batch.h>

namespace novacron {

namespace {

/// Written at once, so that a replay doesn't hold all of it in memory.
constexpr size_t most_collected_bytes = 4u << 20;

/// Sums are taken where the index passes a multiple of it.
constexpr uint64_t sum_every = 256;
/// Not taken; more are dropped, the oldest first.
constexpr size_t most_sums = 8;

bool asks_for_sum(const command_batch& batch) {
  return std::ranges::any_of(batch.commands, [](const command& each) {
    return std::holds_alternative<compare_states>(each.body);
  });
}

} // namespace

struct applier::collected {
  rocksdb::WriteBatch batch;
  applied_mark mark;
  bool any = false;
  bool changed = false;
  std::vector<answered_entry> answers;
};

applier::applier(database& db, uint64_t keep_changes, inbox& queue)
    : db_{db}, store_{db}, queue_{queue}, keep_changes_{std::max<uint64_t>(keep_changes, 1)},
      collected_{std::make_unique<collected>()} {
  // nop
}

applier::~applier() = default;

result<applied_mark> applier::load() {
  auto mark = store_.load(state_);
  if (!mark)
    return mark;
  mark_ = *mark;
  collected_->mark = mark_;
  forgotten_ = store_.forgotten();
  return mark;
}

void applier::reload() {
  cluster_state fresh;
  auto mark = store_.load(fresh);
  if (!mark)
    database::give_up(db_.folder(), mark.error().message);
  {
    std::lock_guard guard{state_mutex_};
    state_ = std::move(fresh);
  }
  mark_ = *mark;
  collected_ = std::make_unique<collected>();
  collected_->mark = mark_;
  forgotten_ = store_.forgotten();
  changed_ = mark_.index;
  sums_.clear();
}

void applier::expect(uint64_t index, std::vector<waiting_proposal> proposals) {
  waiting_.emplace(index, std::move(proposals));
}

void applier::fail_from(uint64_t index, command_errc why, const std::string& detail) {
  for (auto i = waiting_.lower_bound(index); i != waiting_.end(); i = waiting_.erase(i))
    for (auto& each : i->second) {
      const auto bytes = each.size_bytes;
      each.done(all_refused(each.commands.size(), why, detail));
      queue_.release(bytes);
    }
}

void applier::apply(uint64_t index, const log_entry& entry) {
  if (index <= collected_->mark.index)
    return; // the stored state holds it
  auto batch = decode<command_batch>(*entry.data);
  if (!batch)
    database::give_up(db_.folder(), "entry " + std::to_string(index)
                                        + " of the log cannot be read: " + batch.error().message);
  if (batch->cluster_version > known_cluster_version)
    database::give_up(db_.folder(),
                      "entry " + std::to_string(index) + " of the log is of cluster version "
                          + std::to_string(batch->cluster_version) + ", this program knows "
                          + std::to_string(known_cluster_version),
                      "update it");
  auto& all = *collected_;
  enter(batch->cluster_version);
  if (index / sum_every != all.mark.index / sum_every)
    sum_up(index / sum_every * sum_every, all.mark.hash);
  applied_batch done;
  {
    std::lock_guard guard{state_mutex_};
    done = state_.apply(*batch, index);
  }
  store_.put(all.batch, done, all.mark);
  all.mark.index = index;
  if (asks_for_sum(*batch))
    sum_up(index, all.mark.hash);
  all.mark.now = state_.now();
  all.any = true;
  all.changed |= !done.changes.empty();
  if (auto waiting = waiting_.find(index); waiting != waiting_.end()) {
    all.answers.push_back({std::move(waiting->second), std::move(done.outcomes)});
    waiting_.erase(waiting);
  }
  if (all.batch.GetDataSize() > most_collected_bytes)
    write();
}

void applier::enter(uint32_t version) {
  auto& mark = collected_->mark;
  if (mark.version < sums_since && version >= sums_since)
    mark.hash = 0;
  mark.version = std::max(mark.version, version);
}

void applier::sum_up(uint64_t index, uint64_t hash) {
  if (collected_->mark.version < sums_since)
    return;
  sums_.push_back({index, hash});
  if (sums_.size() > most_sums)
    sums_.erase(sums_.begin());
}

void applier::write() {
  if (!collected_->any)
    return;
  auto all = std::exchange(collected_, std::make_unique<collected>());
  collected_->mark = all->mark;
  store_.put_mark(all->batch, all->mark);
  const auto index = all->mark.index;
  // By eighths: a range deletion per batch would slow every read.
  if (index > keep_changes_ && index - keep_changes_ > forgotten_ + keep_changes_ / 8) {
    forgotten_ = index - keep_changes_;
    store_.forget_changes(all->batch, forgotten_);
  }
  db_.write(all->batch, database::durability::buffered);
  mark_ = all->mark;
  std::move(all->answers.begin(), all->answers.end(), std::back_inserter(answers_));
  if (all->changed)
    changed_ = index;
}

void applier::answer() {
  for (auto& entry : std::exchange(answers_, {})) {
    auto next = std::make_move_iterator(entry.outcomes.begin());
    for (auto& each : entry.proposals) {
      const auto end = next + static_cast<std::ptrdiff_t>(each.commands.size());
      each.done({next, end});
      queue_.release(each.size_bytes);
      next = end;
    }
  }
  const auto revision = std::exchange(changed_, 0);
  if (revision == 0)
    return;
  std::lock_guard guard{listener_mutex_};
  if (listener_)
    listener_(revision);
}

void applier::listen(std::function<void(uint64_t)> listener) {
  std::lock_guard guard{listener_mutex_};
  listener_ = std::move(listener);
}

std::vector<lease_record> applier::leases() const {
  std::lock_guard guard{state_mutex_};
  return state_.leases();
}

std::vector<node_record> applier::nodes() const {
  std::lock_guard guard{state_mutex_};
  return state_.nodes();
}

} // namespace novacron
