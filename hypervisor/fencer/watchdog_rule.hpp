#pragma once

#include "messages/lease_margins.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace novacron {

/// The longest timeout that a host's watchdog is given: half of what lies between
/// a renewal and the death of the guests, in whole seconds, at most 10. So a fencer
/// that was killed has time to be started again, and one whose lease is being
/// renewed need not shorten it.
constexpr std::chrono::seconds watchdog_timeout(std::chrono::milliseconds term) {
  using std::chrono::seconds;
  const auto half = std::chrono::floor<seconds>((term + lease_kill_time) / 2);
  return std::clamp(half, seconds{1}, seconds{10});
}

/// When a watchdog is petted, and with which timeout.
///
/// The problem: a fencer that is killed or frozen, or a guest that can't be killed,
/// would leave guests running past the deadline while the leader starts them
/// elsewhere. So the machine must be reset by `deadline + lease_kill_time`, unless the
/// fencer has seen that all are dead; and nobody may be needed to decide it then.
/// That is, each pet gives away no more time than there is until that moment: the
/// timeout becomes shorter as the deadline comes near, and below a second there is
/// no pet any more. It has to be made shorter even though the pets would stop in
/// time: Linux pets a watchdog once more, with the timeout that it has, when the
/// process that held it dies.
///
/// Pure. Times are on CLOCK_BOOTTIME. docs/fencing.md, "The watchdog", derives it.
class watchdog_rule {
public:
  using time = std::chrono::nanoseconds;

  explicit watchdog_rule(std::chrono::seconds longest) : longest_{longest} {
    // nop
  }

  /// The timeout to pet with now; nothing: no pet. `all_dead`: the fencer has looked
  /// at all processes since the deadline passed, and what it killed is dead.
  [[nodiscard]] std::optional<std::chrono::seconds>
  timeout(time now, const std::optional<time>& deadline, bool all_dead) const {
    if (!deadline || (now >= *deadline && all_dead))
      return longest_;
    const auto left = std::chrono::floor<std::chrono::seconds>(*deadline + lease_kill_time - now);
    if (left < std::chrono::seconds{1})
      return std::nullopt;
    return std::min(left, longest_);
  }

private:
  std::chrono::seconds longest_;
};

} // namespace novacron
