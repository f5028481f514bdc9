#pragma once

#include "runtime/demo/child_process.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace novacron::chaos {

/// Stands for systemd with Restart=always for one node: starts it again
/// whenever it ends, however it ended, unless it is held down. (The demo's
/// launcher gives up on a node that ends too often, or that can't start; a
/// node whose disk was full must come back when it is not.)
///
/// The node lives on this object's thread: a child is asked to end when the
/// thread that started it ends. Any thread may call.
class node_keeper {
public:
  explicit node_keeper(child_command command);
  /// SIGTERM; SIGKILL when that took ten seconds.
  ~node_keeper();
  node_keeper(const node_keeper&) = delete;
  node_keeper& operator=(const node_keeper&) = delete;

  /// Sends it to the process that lives now; its pid, 0: none does.
  pid_t signal(int number);
  [[nodiscard]] pid_t pid() const;
  /// While it is held down it isn't started again.
  void hold_down(bool down);
  /// How it has ended each time, as in "signal 9".
  [[nodiscard]] std::vector<std::string> endings() const;

private:
  void live();

  const child_command command_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool down_ = false;
  child_process process_;
  bool lives_ = false;
  std::vector<std::string> endings_;
  std::thread thread_;
};

} // namespace novacron::chaos
