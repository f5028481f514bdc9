#pragma once

#include "probes.hpp"
#include "random.hpp"
#include "scheduler.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace novacron::sim {

struct disk_faults {
  uint64_t latency_min_ms = 0;
  uint64_t latency_max_ms = 5;
};

/// A disk that writes batches in order, a group at a time, and says when they
/// are durable. A crash keeps a random first part of what was under way: a batch
/// that was being written is torn, which a checksum shows, so it counts as none.
/// What batches do to the image that survives is the owner's business.
class disk {
public:
  disk(scheduler& time, chance& luck, probes& seen, disk_faults faults)
      : time_{time}, luck_{luck}, seen_{seen}, faults_{faults} {
    // nop
  }

  /// `write` makes the batch durable, `done` (may be empty) hears of it. False:
  /// the disk is full, and the process must end.
  bool submit(std::function<void()> write, std::function<void()> done);
  /// As `submit`, but for everything so far is durable when it returns.
  bool submit_synced(std::function<void()> write);

  void crash();

  void slow(uint64_t factor) { slow_ = factor; }
  void full(bool is) { full_ = is; }
  [[nodiscard]] bool is_full() const { return full_; }
  [[nodiscard]] bool idle() const { return waiting_.empty(); }

private:
  struct job {
    std::function<void()> write;
    std::function<void()> done;
  };

  void begin();
  void finish(size_t count);

  scheduler& time_;
  chance& luck_;
  probes& seen_;
  disk_faults faults_;
  std::deque<job> waiting_;
  bool writing_ = false;
  uint64_t epoch_ = 0;   ///< rises with each crash and flush
  uint64_t crashes_ = 0; ///< what was to be told before one is told to nobody
  uint64_t slow_ = 1;
  bool full_ = false;
};

} // namespace novacron::sim
