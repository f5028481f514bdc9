#pragma once

#include "lab.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace novacron::chaos {

/// Presses a node's memory by requests, as users can: many clients at once, some with bodies as
/// large as a gateway takes, some with lists as long as there are, and more that wait for a
/// revision that doesn't come than the gateway lets wait. Who is sent away comes back when he was
/// told to. The machine's own memory is not touched. The gateway has to ask for one more of its
/// kind.
class memory_press {
public:
  memory_press(lab& where, int node);
  ~memory_press();
  memory_press(const memory_press&) = delete;
  memory_press& operator=(const memory_press&) = delete;

  void end();
  /// What came of it: answers, how many of them sent the asker away, and memory before and at most.
  [[nodiscard]] std::string text() const;
  /// After the end: nobody was sent away, or not as promised, or the memory grew too much.
  [[nodiscard]] std::vector<std::string> wrong() const;

private:
  void ask_for_much(int number);
  void watch(int pid);
  [[nodiscard]] std::chrono::milliseconds elapsed() const;
  /// False as soon as it is over.
  bool wait(std::chrono::milliseconds span);

  lab& lab_;
  const int node_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false; ///< guarded by `mutex_`
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> shed_{0};
  std::atomic<uint64_t> unanswered_{0};
  std::atomic<uint64_t> shed_without_a_time_{0}; ///< of `shed_`: no Retry-After
  uint64_t before_kib_ = 0;
  std::atomic<uint64_t> most_kib_{0};
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::milliseconds lasted_{0};
  std::atomic<int64_t> asked_for_more_ms_{-1}; ///< when, after the beginning; -1: not yet
  bool same_process_ = false;                  ///< at the end as at the beginning
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
