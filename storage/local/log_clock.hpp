#pragma once

#include "messages/records.hpp"

#include <algorithm>
#include <chrono>

namespace novacron {

/// The time that a leader stamps its entries with.
///
/// The problem: the log's time never goes back, but wall clocks are set forward,
/// and back again. After one entry from a clock that was an hour ahead the log's
/// time would stand still for an hour, and whatever waits for a time, as restarts
/// do, would wait. So a leader whose wall clock is behind the log lets the log's
/// time go on at half the pace of its own steady clock, until the wall clock has
/// caught up.
///
/// Pure.
class log_clock {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  /// The stamp of an entry that is made now. `newest` is the greatest time that
  /// the log is known to hold.
  log_time stamp(log_time wall, steady_time now, log_time newest) {
    auto time = std::max(wall, newest);
    if (last_ >= newest && last_ > wall)
      time = std::max(time,
                      last_ + std::chrono::duration_cast<std::chrono::milliseconds>(now - at_) / 2);
    if (time != last_) {
      last_ = time;
      at_ = now;
    }
    return time;
  }

private:
  log_time last_{};
  steady_time at_{};
};

} // namespace novacron
