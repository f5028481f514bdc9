#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// One line of the test guest: number, verdict of its memory check, and how
/// often it has verified the whole region.
struct guest_tick {
  uint64_t number = 0;
  bool memory_ok = false;
  std::string checksum;
  uint64_t sweep = 0;
};

/// Reads "TICK <n> <uptime> mem=<ok|BAD> <checksum> [sweep=<n> …]"; nothing for any other line.
std::optional<guest_tick> parse_tick(std::string_view line);

/// What a guest's ticks say about it.
struct tick_summary {
  uint64_t ticks = 0;
  uint64_t first = 0; ///< number of the first tick, and of the latest
  uint64_t latest = 0;
  uint64_t missing = 0;   ///< numbers that were skipped
  uint64_t repeated = 0;  ///< numbers that were not greater than the one before: it ran twice
  uint64_t starts = 0;    ///< times that it began at 1
  uint64_t malformed = 0; ///< lines that begin like a tick and aren't
  uint64_t sweep = 0;     ///< complete passes over its memory, as of the latest tick
  bool memory_ok = true;  ///< false for ever after the first BAD
  std::chrono::nanoseconds largest_gap{0}; ///< between two ticks of one start
};

/// Counts a guest's ticks and measures the gaps between them.
///
/// Pure: lines come with the time at which they were read. Remembers the times
/// of the latest 20,000 ticks, so that a gap can be measured afterwards.
class tick_series {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void add_line(std::string_view line, time_point at);

  [[nodiscard]] const tick_summary& summary() const { return summary_; }

  /// The largest gap that overlaps [from, to], the silence after the latest
  /// tick included: a guest that stopped has a gap, too. Zero before the first tick.
  [[nodiscard]] std::chrono::nanoseconds largest_gap(time_point from, time_point to) const;

  [[nodiscard]] std::optional<time_point> latest_at() const;

private:
  struct stamp {
    time_point at;
    bool continues; ///< the tick before belongs to the same start
  };
  tick_summary summary_;
  std::deque<stamp> stamps_;
};

} // namespace novacron
