#pragma once

#include "runtime/demo/child_process.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace novacron {

/// Stands for systemd: starts the demo's nodes and restarts one that dies, but
/// no more than `restart_limit` times within `restart_period`. Ends only what
/// it started. Any thread.
class launcher {
public:
  static constexpr size_t restart_limit = 5;
  static constexpr std::chrono::seconds restart_period{60};
  static constexpr std::chrono::milliseconds restart_delay{200};

  launcher() = default;
  ~launcher();
  launcher(const launcher&) = delete;
  launcher& operator=(const launcher&) = delete;

  /// Starts it soon. One that can't be started has `given_up`.
  void start(const std::string& name, child_command command);

  /// Kills it (SIGKILL); it will be restarted. Returns its pid, 0 for none.
  pid_t kill(const std::string& name);
  [[nodiscard]] pid_t pid(const std::string& name) const; ///< 0 while it is dead

  /// A node that ended with status 2 or died too often, and how; empty for none.
  [[nodiscard]] std::string given_up() const;

  /// Asks all to end, and kills those that haven't after `limit`. Returns the
  /// names of those that had to be killed.
  std::vector<std::string> stop_all(std::chrono::milliseconds limit);

private:
  struct node {
    std::string name;
    child_command command;
    child_process process;
    std::deque<std::chrono::steady_clock::time_point> deaths;
    bool killed = false; ///< at the end, because it did not stop
  };

  /// The life of a node. One thread starts it, restarts it and ends it: a child
  /// is asked to end when the thread that started it ends.
  void watch(node& watched);
  bool spawn(node& watched);
  bool may_restart(node& watched);
  void end(node& watched, std::unique_lock<std::mutex>& lock) const;

  mutable std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point kill_at_;
  std::string given_up_;
  std::deque<node> nodes_;
  std::deque<std::thread> watchers_;
};

} // namespace novacron
