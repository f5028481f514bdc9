#pragma once

#include "dwcp/codec/level_chooser.hpp"
#include "dwcp/transport/frame.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace novacron {

/// Packs a session's batches, which take turns on lanes: batch i on lane
/// i mod n, each lane a thread with a context of its own. Batches may leave in
/// another order than they came. All calls are one thread's, the session's main
/// one; callbacks are on the lanes' threads.
class packing_lanes {
public:
  struct callbacks {
    std::function<void(frame)> packed;
    std::function<void(const std::exception&)> failed; ///< no memory; nothing more is packed
  };

  /// Throws when not so many threads can be had.
  packing_lanes(unsigned lanes, int level, callbacks calls);
  packing_lanes(const packing_lanes&) = delete;
  packing_lanes& operator=(const packing_lanes&) = delete;
  /// Drops what waits, and joins.
  ~packing_lanes();

  /// A batch whose payload is its plan.
  void put(frame batch);
  /// Of the batches that are put from now on.
  void set_level(int level) { level_ = level; }
  /// As many batches wait as shall.
  [[nodiscard]] bool full() const;
  /// Nothing waits and nothing is being packed.
  [[nodiscard]] bool idle() const { return under_way_ == 0; }
  [[nodiscard]] packing_work work() const;

private:
  struct job {
    frame batch;
    int level = 0;
  };
  struct lane {
    std::deque<job> jobs;
    std::thread thread;
  };

  packing_lanes(int level, callbacks calls);
  void run(lane& x);

  static constexpr size_t waiting_a_lane = 2;

  const callbacks calls_;
  int level_;
  std::atomic<size_t> under_way_{0};
  mutable std::mutex mutex_; ///< guards all below but the threads
  std::condition_variable changed_;
  bool closing_ = false;
  packing_work work_;
  std::vector<std::unique_ptr<lane>> lanes_;
};

} // namespace novacron
