#include "storage/log/disk_thread.hpp"

#include "storage/overloaded.hpp"

#include <rocksdb/write_batch.h>

namespace novacron {

disk_thread::disk_thread(database& db, const stored_log& log, stored_callback stored,
                         installed_callback installed)
    : db_{db}, store_{db}, state_{db}, stored_{std::move(stored)}, installed_{std::move(installed)},
      promised_{log.last(), log.term}, thread_{[this] { run(); }} {
  // nop
}

disk_thread::~disk_thread() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void disk_thread::append(uint64_t first, std::vector<log_entry> entries) {
  post(append_job{first, std::move(entries)});
}

void disk_thread::truncate(uint64_t from) {
  post(truncate_job{from});
}

void disk_thread::compact(compaction_point point, uint64_t last) {
  post(compact_job{std::move(point), last});
}

void disk_thread::install(compaction_point point, state_generation staged, applied_mark mark) {
  post(install_job{std::move(point), staged, mark});
}

void disk_thread::store_vote(uint64_t term, uint64_t vote) {
  post(vote_job{term, vote});
  std::unique_lock lock{mutex_};
  const auto mine = posted_;
  less_.wait(lock, [&] { return written_ >= mine; });
}

void disk_thread::post(job what) {
  {
    std::lock_guard guard{mutex_};
    jobs_.push_back(std::move(what));
    ++posted_;
  }
  more_.notify_one();
}

void disk_thread::run() {
  std::vector<job> jobs;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      written_ += jobs.size();
      less_.notify_all();
      more_.wait(lock, [&] { return !jobs_.empty() || stopping_; });
      if (jobs_.empty())
        return;
      jobs.clear();
      jobs.swap(jobs_);
    }
    write(jobs);
  }
}

void disk_thread::lower_promise(uint64_t index) {
  // On the disk before the write: a promise is never too high, also after a power cut.
  if (promised_.index > index) {
    promised_.index = index;
    db_.promise(promised_, database::durability::synced);
  }
}

void disk_thread::write(const std::vector<job>& jobs) {
  rocksdb::WriteBatch batch;
  auto made = promised_;
  uint64_t last_term = 0;
  bool appended = false;
  bool installed = false;
  for (const auto& each : jobs)
    std::visit(overloaded{[&](const append_job& x) {
                            store_.append(batch, x.first, x.entries);
                            made.index = x.first + x.entries.size() - 1;
                            last_term = x.entries.back().term;
                            appended = true;
                          },
                          [&](const truncate_job& x) {
                            store_.truncate(batch, x.from);
                            made.index = x.from - 1;
                            appended = false;
                            lower_promise(made.index);
                          },
                          [&](const compact_job& x) { store_.compact(batch, x.point, x.last); },
                          [&](const install_job& x) {
                            store_.wipe(batch, x.point);
                            state_.flip(batch, x.staged, x.mark);
                            made.index = x.point.index;
                            appended = false;
                            installed = true;
                            lower_promise(made.index);
                          },
                          [&](const vote_job& x) {
                            store_.put_vote(batch, x.term, x.vote);
                            made.term = x.term;
                          }},
               each);
  db_.write(batch, database::durability::synced);
  if (made != promised_) {
    promised_ = made;
    db_.promise(promised_);
  }
  if (installed)
    installed_();
  if (appended)
    stored_(made.index, last_term);
}

} // namespace novacron
