#pragma once

#include "request_deck.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace novacron::chaos {

/// One time that a fault came about.
struct fault_run {
  std::string what;                                  ///< to whom, in words
  std::string note;                                  ///< what was seen of it
  std::optional<std::chrono::milliseconds> detected; ///< until a node said that something was wrong
  std::optional<std::chrono::milliseconds> recovered; ///< none: it did not recover
  std::optional<std::chrono::milliseconds> writes_again;
  std::chrono::milliseconds settled{0};
  /// Of a host that was off or cut off: until none of its `ha` guests was seen on it any more, and
  /// until all were seen to run elsewhere. None: wasn't looked at, or didn't come.
  std::optional<std::chrono::milliseconds> fenced;
  std::optional<std::chrono::milliseconds> elsewhere;
  /// Of a leader that was cut off: how long it took writes. None: wasn't looked at, or it went on.
  std::optional<std::chrono::milliseconds> stopped;
  uint64_t lost_requests = 0;
  uint64_t acknowledged_during = 0;
};

/// One of the times that are measured of each.
using measure = std::optional<std::chrono::milliseconds> fault_run::*;

/// Puts it behind what was noted before.
void add_note(fault_run& to, const std::string& what);

/// What users asked for.
struct request_mix {
  std::array<uint64_t, request_kinds> by_kind{}; ///< of those who follow the seed's mix
  uint64_t repeated_creates = 0; ///< of the creates: an earlier one, with its key once more
  uint64_t beside = 0;           ///< requests of the others

  [[nodiscard]] uint64_t all() const;
};

/// One of the faults of the plan, with all times that it came about.
struct fault_summary {
  std::string name;
  std::chrono::milliseconds within{0}; ///< design.md's limit; 0: none
  std::vector<fault_run> runs;
  std::string impossible; ///< why it never came about; empty: it did

  /// The median time to recover is longer than the limit. A fault without a limit is never
  /// beyond, nor is one that never recovered: that is a violation.
  [[nodiscard]] bool beyond() const;
};

/// All of a run.
struct chaos_summary {
  uint64_t seed = 0;
  std::string guests; ///< which
  std::chrono::seconds lasted{0};
  std::vector<fault_summary> faults;
  std::map<std::string, uint64_t> actor_kills; ///< by the kind of actor
  uint64_t acknowledged_writes = 0;
  uint64_t requests = 0;
  uint64_t lost_requests = 0;
  request_mix mix;
  uint64_t most_vms = 0; ///< that were there at once when nobody asked
  uint64_t counts = 0;   ///< of running guests
  uint64_t ticks = 0;
  std::vector<std::string> writes_lost;      ///< in words
  std::vector<std::string> duplicate_runs;   ///< in words
  std::vector<std::string> operations_stuck; ///< in words
  std::vector<std::string> other_violations; ///< in words

  [[nodiscard]] uint64_t actors_killed() const;
  /// Of all requests, the part that was answered for good at the first attempt.
  [[nodiscard]] double availability() const;
  [[nodiscard]] bool all_holds() const;
};

/// The p-th percentile by the nearest rank; nothing of nothing.
std::optional<uint64_t> percentile(std::vector<uint64_t> values, unsigned p);

/// Median and largest of what was measured, in ms: "140 / 1463".
std::string times(const fault_summary& x, measure which);

/// build/chaos/summary.json. A time that was never measured is null.
std::string to_json(const chaos_summary& x);
/// build/chaos/report.md.
std::string to_markdown(const chaos_summary& x);
/// The faults that are beyond their limits, a line each for the terminal; empty: none is.
std::string beyond_limits(const chaos_summary& x);

} // namespace novacron::chaos
