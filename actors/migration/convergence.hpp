#pragma once

#include "messages/migration_terms.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace novacron {

/// What QEMU says of its migration at one moment.
struct convergence_sample {
  uint32_t round = 0;           ///< 1 is the first pass over the memory
  uint64_t remaining_bytes = 0; ///< of the guest's memory, until the round's end
};

/// Whether a live migration comes to its end, and how long its guest may stand still for that.
///
/// The problem: QEMU stops the guest as soon as it believes that what remains fits into its
/// limit, and it believes in the speed at which our socket takes bytes. So the limit begins low,
/// and is doubled each round, up to what the guest may bear (at once where speed is wanted). Where
/// that never suffices, because the guest writes as fast as the link carries, QEMU would go round
/// for ever. So when `stalled_rounds` have not begun with clearly less than the best one before
/// them, the guest gets its whole pause; where a round takes longer than that, no end is in sight,
/// and it is said why. A guest that may be slowed down is slowed by QEMU, further in each round
/// that stalls: it gets `most_rounds` for that.
///
/// Pure. It looks from outside: what a round began with is the most that was seen to remain in it,
/// and several rounds may pass between two looks.
class convergence {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds first_pause{10};
  /// Rounds without progress that are a stall; the last of them has only begun.
  static constexpr uint32_t stalled_rounds = 2;
  /// Where rounds are shorter than the time between two looks, chance says how much was seen to
  /// remain; progress is given at least so long.
  static constexpr std::chrono::seconds least_patience{5};
  /// Rounds without progress after which nothing is waited for any more.
  static constexpr uint32_t most_rounds = 16;

  explicit convergence(const migration_terms& terms) : terms_{terms} {
    // nop
  }

  struct orders {
    std::chrono::milliseconds pause_limit; ///< what QEMU is to be told
    std::optional<std::string> give_up;    ///< why it won't come to its end
  };

  /// What follows from a look at it.
  orders look(const convergence_sample& seen, time_point now);

  /// How long the guest would stand still if it were stopped now: what remains when a round begins
  /// takes as long as the round does. 0 before the second round has ended.
  [[nodiscard]] std::chrono::milliseconds predicted_pause() const;

private:
  [[nodiscard]] std::chrono::milliseconds pause_of_round() const;
  void next_round(uint32_t round, time_point now);
  [[nodiscard]] bool progresses() const;
  [[nodiscard]] uint32_t rounds_without_progress() const;
  [[nodiscard]] std::string complaint() const;

  const migration_terms terms_;
  time_point begun_;
  uint32_t round_ = 0;
  time_point round_began_;
  uint64_t began_with_ = 0; ///< the most that was seen to remain in this round
  uint64_t least_
      = std::numeric_limits<uint64_t>::max(); ///< of the best round, the first one left out
  uint32_t progress_round_ = 0;               ///< the one after it
  time_point progressed_;                     ///< when that began
};

} // namespace novacron
