#pragma once

#include "lab.hpp"

#include <atomic>
#include <thread>

namespace novacron::chaos {

/// Presses a node's memory by requests, as users can: many clients at once, each with a body as
/// large as a gateway takes, and lists as long as there are. The machine's own memory is not
/// touched.
class memory_press {
public:
  memory_press(lab& where, int node);
  ~memory_press();
  memory_press(const memory_press&) = delete;
  memory_press& operator=(const memory_press&) = delete;

  void end();
  /// What came of it: answers, how many of them sent the asker away, and memory before and at most.
  [[nodiscard]] std::string text() const;

private:
  void ask_for_much(int number);
  void watch(int pid);

  lab& lab_;
  const int node_;
  std::atomic<bool> over_{false};
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> shed_{0};
  std::atomic<uint64_t> unanswered_{0};
  uint64_t before_kib_ = 0;
  std::atomic<uint64_t> most_kib_{0};
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
