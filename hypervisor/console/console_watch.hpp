#pragma once

#include "hypervisor/console/tick_series.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace novacron {

/// Reads a guest's console logs as they grow, and stamps each line with this
/// host's monotonic clock when it is read (polled every 2 ms).
///
/// A guest that migrates writes to one log after the other, and may change over
/// in the middle of a line: so all logs feed one stream of bytes, in the order
/// in which they were written. That order is known as long as only one of them
/// grows at a time: whatever the log before holds is read before a next one's
/// first bytes count. Logs may appear later; what they hold when they
/// are first seen is read as well, stamped with that moment.
class console_watch {
public:
  using time_point = tick_series::time_point;

  explicit console_watch(std::vector<std::filesystem::path> logs);
  ~console_watch();
  console_watch(const console_watch&) = delete;
  console_watch& operator=(const console_watch&) = delete;

  /// What has been seen so far. Any thread.
  [[nodiscard]] tick_summary summary() const;
  /// See `tick_series::largest_gap`. Any thread.
  [[nodiscard]] std::chrono::nanoseconds largest_gap(time_point from, time_point to) const;

  /// Waits until the summary satisfies `condition`; false when the limit is over.
  bool wait_until(const std::function<bool(const tick_summary&)>& condition,
                  std::chrono::milliseconds limit);
  /// Waits for `count` more ticks.
  bool wait_for_ticks(uint64_t count, std::chrono::milliseconds limit);

private:
  struct log_file {
    std::filesystem::path path;
    int descriptor = -1;
  };

  void run();
  static std::string read_more(log_file& log);
  bool drain(log_file& log);
  bool follow_change(log_file& log);
  void take_bytes(std::string_view bytes);

  std::vector<log_file> logs_; ///< the thread's
  size_t active_ = 0;          ///< the thread's: the log that grew last
  std::string line_;           ///< the thread's: what came after the last line's end
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  tick_series series_;
  std::thread thread_;
};

} // namespace novacron
