#pragma once

#include "hypervisor/fencer/watchdog_device.hpp"
#include "hypervisor/fencer/watchdog_rule.hpp"

#include <memory>
#include <optional>

namespace novacron {

/// Pets one watchdog as `watchdog_rule` says. A pet that failed, or that the rule
/// doesn't allow, is a pet less: the device does the rest. Says so once.
class watchdog_keeper {
public:
  using time = std::chrono::nanoseconds;

  /// Sets the timeout. Fails, with the device disarmed, when it can't be made as short as
  /// `timeout`.
  static result<watchdog_keeper> arm(std::unique_ptr<watchdog_device> device,
                                     std::chrono::seconds timeout);

  /// For each turn of the fencer: pets if it is time. For `all_dead` see `watchdog_rule`.
  void tick(time now, const std::optional<time>& deadline, bool all_dead);
  /// When `tick` wants to be called next.
  [[nodiscard]] time next() const { return next_; }
  /// The fencer ends. Disarms the device if nothing runs on that had to be dead.
  void end(bool all_dead);

  /// The longest that it has when all is well.
  [[nodiscard]] std::chrono::seconds timeout() const { return longest_; }

private:
  watchdog_keeper(std::unique_ptr<watchdog_device> device, std::chrono::seconds longest);

  result<void> pet(std::chrono::seconds timeout);
  void say(const std::string& what);

  std::unique_ptr<watchdog_device> device_;
  std::chrono::seconds longest_;
  watchdog_rule rule_;
  std::chrono::seconds set_;         ///< the device's timeout
  std::chrono::seconds shortest_{0}; ///< that it is known to have
  time next_{0};
  std::string said_; ///< the last trouble; empty: none
};

} // namespace novacron
