#pragma once

#include "messages/descriptor.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace novacron {

/// What to run, and where its output goes.
struct child_command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::filesystem::path output; ///< standard output and error are appended to it
};

/// A process that we started. Held by a pid descriptor, so that a signal can
/// never reach another process that got its number. Asked to end (SIGTERM) when
/// we die. Killed and reaped when it goes out of scope.
class child_process {
public:
  static result<child_process> start(const child_command& command);

  child_process() = default;
  child_process(child_process&&) = default;
  child_process& operator=(child_process&&) = default;
  ~child_process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Becomes readable when the process ends.
  [[nodiscard]] int pid_descriptor() const { return handle_.get(); }

  void signal(int number) const;
  /// Waits until it has ended; false when the limit is over.
  bool wait(std::chrono::milliseconds limit);
  /// How it ended, as in "signal 9" or "status 2"; after `wait`.
  [[nodiscard]] const std::string& ending() const { return ending_; }

private:
  pid_t pid_ = 0;
  descriptor handle_; ///< none: not started, or reaped
  std::string ending_;
};

} // namespace novacron
