#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

namespace novacron {

/// Waits for the wish to stop: SIGTERM or SIGINT, or a call of `request`.
///
/// Make it before the first thread starts: threads inherit that the signals are
/// blocked, so that they reach nobody but `wait`. SIGPIPE is ignored from then
/// on, and children must unblock the signals for themselves.
class stop_signal {
public:
  stop_signal();
  ~stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  /// Blocks until the wish is there; says where it came from ("SIGTERM", or the
  /// reason given to `request`). Called by one thread.
  std::string wait();
  /// As `wait`, but gives up after `limit`.
  std::optional<std::string> wait_for(std::chrono::milliseconds limit);

  /// Wishes to stop. Any thread; the first reason counts.
  void request(const std::string& reason);

private:
  sigset_t before_{};
  descriptor signals_;
  descriptor read_end_;
  descriptor write_end_;
};

/// Ends the process with `status` unless it has ended by itself within `limit`,
/// or at once when a second SIGTERM or SIGINT comes. What an orderly stop is
/// guarded by. Call it once.
void exit_after(std::chrono::milliseconds limit, int status);

} // namespace novacron
