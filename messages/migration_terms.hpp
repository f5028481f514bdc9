#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace novacron {

/// What a live migration is to be good at, where it can't be good at all.
enum class migration_intent : uint8_t {
  gentle,   ///< the guest is never slowed down; where it writes too fast, it stays
  downtime, ///< it stands still as shortly as can be, and may be slowed down for that
  speed,    ///< it is over soon: a longer pause is taken early, and it may be slowed down
};

/// Who goes first where migrations wait for their turn; within one, who has waited longer.
/// Since cluster version 7.
enum class migration_priority : uint8_t { normal, low, high };

/// How a live migration is to be made: an intent, and bounds for those who know
/// better than it. Since cluster version 6.
struct migration_terms {
  migration_intent intent = migration_intent::gentle;
  /// The guest stands still for its last pages no longer than that; 0: as the intent says.
  std::chrono::milliseconds longest_pause{0};
  /// What isn't done by then stays where it was; 0: no limit.
  std::chrono::milliseconds time_limit{0};
  migration_priority priority = migration_priority::normal;
  /// At most so many times, as long as what ended the last one may pass. Since cluster version 9.
  uint32_t tries = 1;

  /// The same pause, with the intent's own filled in.
  [[nodiscard]] std::chrono::milliseconds pause() const;
  /// Whether its vCPUs may be given less time, so that it writes less.
  [[nodiscard]] bool may_slow() const { return intent != migration_intent::gentle; }

  friend bool operator==(const migration_terms&, const migration_terms&) = default;
};

inline std::chrono::milliseconds migration_terms::pause() const {
  using namespace std::chrono_literals;
  if (longest_pause > 0ms)
    return longest_pause;
  switch (intent) {
  case migration_intent::downtime:
    return 100ms;
  case migration_intent::speed:
    return 1s;
  case migration_intent::gentle:
    break;
  }
  return 300ms; // QEMU's own default
}

std::string to_string(migration_intent x);
std::string to_string(migration_priority x);

} // namespace novacron
