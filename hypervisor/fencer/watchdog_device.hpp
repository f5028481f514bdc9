#pragma once

#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace novacron {

/// A watchdog that runs: it resets the machine when it isn't petted for as long as
/// its timeout. Destroyed without `disarm`, it goes on running.
class watchdog_device {
public:
  watchdog_device() = default;
  virtual ~watchdog_device() = default;
  watchdog_device(const watchdog_device&) = delete;
  watchdog_device& operator=(const watchdog_device&) = delete;

  /// Sets the timeout, and pets. Returns the timeout that it has now, which is
  /// longer than `wanted` where the device knows no shorter one. `refused`: it has
  /// the one that it had, and wasn't petted.
  virtual result<std::chrono::seconds> set_timeout(std::chrono::seconds wanted) = 0;
  virtual result<void> pet() = 0;
  /// Stops it, as far as the kernel lets us (not with its option nowayout).
  virtual result<void> disarm() = 0;
};

/// Opens a device of Linux's watchdog interface, which starts it (kernel
/// documentation, watchdog/watchdog-api). It is closed for programs that we
/// become, and only one process can have it open.
///
/// `refused`, with what to do, when it can't be opened, isn't a watchdog, can't be told
/// a timeout, or stops by itself when its holder dies (no magic close).
result<std::unique_ptr<watchdog_device>> open_watchdog(const std::filesystem::path& path);

} // namespace novacron
