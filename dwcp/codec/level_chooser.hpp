#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace novacron {

/// What was packed so far. Counters only grow.
struct packing_work {
  uint64_t batches = 0;
  uint64_t plan_bytes = 0;          ///< before
  uint64_t packed_bytes = 0;        ///< after
  std::chrono::nanoseconds busy{0}; ///< time that lanes spent on it, all together
};

/// How hard to compress.
///
/// The problem: on a slow link each byte saved is time saved, on a fast one the
/// codec is what everybody waits for. So the lanes' own load decides: as long as
/// the link makes everybody wait and the lanes have time, they try harder; when
/// they have none, they try less, down to not at all. From there the way back is
/// taken when what the link carries plain is less than the lanes once packed. A near link is
/// mostly a fast one, so there it begins with the easiest level: a small guest is over before
/// anything could be learnt.
///
/// Pure. A step at a time, at first after 60 ms, then less and less often, down to four times a
/// second.
class level_chooser {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Zstd's levels that are stepped through; 0: plain.
  static constexpr std::array<int, 5> ladder{0, -4, 1, 3, 6};
  static constexpr std::chrono::milliseconds first_interval{60};
  static constexpr std::chrono::milliseconds interval{250};
  static constexpr std::chrono::milliseconds near{5}; ///< a round trip below it
  static constexpr uint64_t least_batches = 4;        ///< to judge by

  level_chooser(unsigned lanes, std::chrono::microseconds round_trip, time_point now);

  /// Says, now and then, whether something waits for the link.
  void note(bool link_waited);
  /// The level from now on, given all that was packed so far.
  int choose(const packing_work& so_far, time_point now);
  [[nodiscard]] int level() const { return ladder[step_]; }

private:
  const unsigned lanes_;
  size_t step_;
  std::chrono::milliseconds wait_ = first_interval;
  std::array<double, ladder.size()> speed_{}; ///< plan bytes a lane packs in a second; 0: unknown
  packing_work before_;
  time_point since_;
  uint32_t notes_ = 0;
  uint32_t waits_ = 0;
};

} // namespace novacron
