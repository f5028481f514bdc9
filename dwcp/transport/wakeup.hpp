#pragma once

#include "messages/descriptor.hpp"

#include <chrono>

namespace novacron {

/// Wakes threads that wait in `poll`. All functions are safe from any thread.
class wakeup {
public:
  wakeup();
  /// Everyone who polls `fd` wakes, until `clear`.
  void raise() const;
  void clear() const;
  [[nodiscard]] bool raised() const;
  [[nodiscard]] int fd() const { return event_.get(); }

private:
  descriptor event_;
};

enum class readiness { ready, interrupted, timed_out };

using deadline = std::chrono::steady_clock::time_point;

/// Waits until `fd` has one of `events` (poll's), `stop` is raised, or it is
/// `until`.
readiness wait_for(int fd, short events, const wakeup& stop, deadline until);

} // namespace novacron
