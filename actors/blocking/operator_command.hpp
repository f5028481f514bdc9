#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace novacron {

/// Tells a run, from any thread, that nobody wants it any more.
class command_stop {
public:
  command_stop();

  void request() const;
  /// Readable once it was requested.
  [[nodiscard]] int fd() const { return event_.get(); }

private:
  descriptor event_;
};

/// How a run has ended.
struct command_end {
  bool ok = false;  ///< status 0
  std::string what; ///< else: the status, the signal, or why it was ended; and its last line
};

/// Runs a program and waits for its end: blocks for `limit` and a moment. `words`: its absolute
/// path, then its arguments; no shell is between. It has no input, no descriptors of
/// ours, and a session of its own, which is killed as a whole when the limit is over, when
/// `stop` is requested, or behind the program's end. It is killed, too, if we die meanwhile.
///
/// One that hangs in the kernel, so that SIGKILL doesn't end it, is waited for.
command_end run_operator_command(const std::vector<std::string>& words,
                                 std::chrono::milliseconds limit, const command_stop& stop);

/// Runs a command of the operator's with these words behind its own, without blocking the caller,
/// and calls `done` once, from any thread.
using command_runner
    = std::function<void(const std::vector<std::string>& more, std::shared_ptr<command_stop> stop,
                         std::function<void(command_end)> done)>;

/// As `run_operator_command`, each run on a thread of its own.
command_runner make_command_runner(std::vector<std::string> command,
                                   std::chrono::milliseconds limit);

} // namespace novacron
