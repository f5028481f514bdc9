#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace novacron {

/// One process, immune to the reuse of its number (pidfd_open(2)): look at
/// /proc/<pid> *after* the handle is open and before a signal is sent, and the
/// signal can only reach what was looked at.
class pid_handle {
public:
  /// Empty when there is no such process.
  static pid_handle open(int pid);

  explicit operator bool() const { return static_cast<bool>(fd_); }
  [[nodiscard]] int pid() const { return pid_; }
  /// False when it is dead or not ours to signal.
  bool signal(int number) const;
  /// Whether all of its threads have ended, waiting for it for at most `patience`.
  [[nodiscard]] bool dead(std::chrono::milliseconds patience = {}) const;

private:
  descriptor fd_;
  int pid_ = 0;
};

/// The numbers of all processes, from /proc.
std::vector<int> all_pids();

/// The entry /proc/<pid>/<name>, of at most 256 KiB; empty when it can't be
/// read. Lists (cmdline, environ) have a zero byte after each item.
std::string read_proc(int pid, const char* name);
/// The items of such a list.
std::vector<std::string> split_proc_list(const std::string& text);
/// The executable's path, without the " (deleted)" of a replaced file.
std::filesystem::path executable_of(int pid);

} // namespace novacron
