#pragma once

#include <chrono>

namespace novacron {

// What both halves of a host's lease rest on. docs/fencing.md derives it:
//
//     holder   sent ──────── term, by its clock ────────▶ kills ─▶ dead
//     leader        applied ── term × (1 + 2 drift) + guard + kill ──────▶ expires

/// Two machines' clocks run apart by no more than one part in so many: ten times
/// what a bad quartz does, twice what NTP may slew.
inline constexpr int64_t lease_drift_is_one_in = 1'000;

/// For what the drift leaves out: its square, a machine that wakes from sleep
/// past its deadline and needs a moment to see it, a fencer that gets the
/// processor late.
inline constexpr std::chrono::milliseconds lease_guard{1'000};

/// From the deadline until the last `ha` guest is dead: a fencer's round of 100 ms,
/// its look through /proc, SIGKILL, and the end of all of the guest's threads.
inline constexpr std::chrono::milliseconds lease_kill_time{2'000};

/// How long the leader waits, from when it saw a renewal applied, before it may
/// say that none of the host's `ha` guests runs: term × (1 + 2 drift) + guard + kill time.
constexpr std::chrono::milliseconds lease_expires_after(std::chrono::milliseconds term) {
  const std::chrono::milliseconds drift{(2 * term.count() + lease_drift_is_one_in - 1)
                                        / lease_drift_is_one_in};
  return term + drift + lease_guard + lease_kill_time;
}

} // namespace novacron
