#pragma once

#include "dwcp/transport/wakeup.hpp"
#include "messages/descriptor.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <thread>

namespace novacron {

/// Accepts connections and gives each to a function, on a thread of its own.
class reception {
public:
  /// Serves one connection until it is over. Must return soon after `closing` is raised,
  /// and not throw.
  using host = std::function<void(descriptor socket, const wakeup& closing)>;

  /// At most `most` connections are served at a time; others are closed. Throws
  /// std::system_error when no thread is to be had.
  reception(descriptor listener, size_t most, host welcome);
  /// Returns once all of them are over.
  ~reception();
  reception(const reception&) = delete;
  reception& operator=(const reception&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }

private:
  struct visitor {
    std::thread thread;
    std::atomic<bool> gone{false};
  };

  void welcome_all();
  void sweep();

  const descriptor listener_;
  const uint16_t port_;
  const size_t most_;
  const host welcome_;
  wakeup closing_;
  std::list<visitor> visitors_; ///< of the listening thread
  std::thread listening_;
};

} // namespace novacron
