#pragma once

#include "storage/log/log_store.hpp"
#include "storage/log/state_store.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

namespace novacron {

/// Writes the log. All that waits becomes one write batch and one sync, so that
/// the disk's latency is paid once for everything that arrived meanwhile (group
/// commit). Jobs are done in the order in which they came.
class disk_thread {
public:
  /// An entry and all before it are durable. Called on this thread.
  using stored_callback = std::function<void(uint64_t index, uint64_t term)>;

  /// The snapshot that `install` was asked for is durable. Called on this thread.
  using installed_callback = std::function<void()>;

  disk_thread(database& db, const stored_log& log, stored_callback stored,
              installed_callback installed = {});
  /// Does what waits, then ends.
  ~disk_thread();

  void append(uint64_t first, std::vector<log_entry> entries);
  void truncate(uint64_t from);
  /// Deletes entries up to `last`, which the state holds. What the state's
  /// writer has written before this call comes before it in the WAL, so that no
  /// crash leaves the deletion without the state.
  void compact(compaction_point point, uint64_t last);
  /// Makes a staged snapshot the state, and wipes the log, in one write.
  void install(compaction_point point, state_generation staged, applied_mark mark);
  /// Returns once the vote is durable, and everything asked before it.
  void store_vote(uint64_t term, uint64_t vote);

private:
  struct append_job {
    uint64_t first;
    std::vector<log_entry> entries;
  };
  struct truncate_job {
    uint64_t from;
  };
  struct compact_job {
    compaction_point point;
    uint64_t last;
  };
  struct install_job {
    compaction_point point;
    state_generation staged;
    applied_mark mark;
  };
  struct vote_job {
    uint64_t term;
    uint64_t vote;
  };
  using job = std::variant<append_job, truncate_job, compact_job, install_job, vote_job>;

  void post(job what);
  void run();
  void lower_promise(uint64_t index);
  void write(const std::vector<job>& jobs);

  database& db_;
  log_store store_;
  state_store state_;
  stored_callback stored_;
  installed_callback installed_;
  promise_file::promise promised_; ///< of this thread

  std::mutex mutex_;
  std::condition_variable more_;
  std::condition_variable less_;
  std::vector<job> jobs_;
  uint64_t posted_ = 0;
  uint64_t written_ = 0;
  bool stopping_ = false;
  std::thread thread_; ///< last: it uses the others
};

} // namespace novacron
