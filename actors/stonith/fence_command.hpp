#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace novacron {

/// Tells a run, from any thread, that nobody wants it any more.
class fence_stop {
public:
  fence_stop();

  void request() const;
  /// Readable once it was requested.
  [[nodiscard]] int fd() const { return event_.get(); }

private:
  descriptor event_;
};

/// How a run has ended.
struct fence_result {
  bool off = false; ///< status 0: the host is off
  std::string what; ///< else: the status, the signal, or why it was ended; and its last line
};

/// Runs a program and waits for its end: blocks for `limit` and a moment. `words`: its absolute
/// path, then its arguments; no shell is between. It has no input, no descriptors of
/// ours, and a session of its own, which is killed as a whole when the limit is over, when
/// `stop` is requested, or behind the program's end. It is killed, too, if we die meanwhile.
///
/// One that hangs in the kernel, so that SIGKILL doesn't end it, is waited for.
fence_result run_fence_command(const std::vector<std::string>& words,
                               std::chrono::milliseconds limit, const fence_stop& stop);

} // namespace novacron
