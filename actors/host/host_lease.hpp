#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

namespace novacron {

/// The holder's half of a host lease.
///
/// The problem: a host that is cut off must have stopped its `ha` guests before
/// they start elsewhere, though the two sides share no clock and messages take
/// their time. So the holder counts the term from the moment when it *sent* a
/// renewal, the leader from the later moment when it *applied* it; and the
/// deadline counts only once the fencer, which outlives the agent, has it.
///
/// Pure. Times are on CLOCK_BOOTTIME, which goes on while a machine sleeps.
class host_lease {
public:
  using time = std::chrono::nanoseconds;

  host_lease(std::chrono::milliseconds term, std::chrono::milliseconds renew_every)
      : term_{term}, renew_every_{renew_every} {
    // nop
  }

  /// The attempt to send now, if one is due.
  std::optional<uint64_t> tick(time now);

  /// A renewal was granted at `revision`: the deadline to give to the fencer,
  /// counted from when that attempt was sent. Nothing if a later one was granted.
  std::optional<time> granted(uint64_t attempt, uint64_t revision, time now);

  /// The fencer has the deadline: guests may run until then.
  void guarded_until(time deadline) { deadline_ = deadline; }

  /// Guests may be started now, from a state that is no older than `revision`.
  [[nodiscard]] bool held(time now) const { return deadline_ && now < *deadline_; }
  [[nodiscard]] std::optional<time> deadline() const { return deadline_; }
  /// Log index of the first grant since we started, or since the lease was last
  /// over: what was decided before it may have been decided otherwise since. 0:
  /// none yet.
  [[nodiscard]] uint64_t revision() const { return first_revision_; }

private:
  std::chrono::milliseconds term_;
  std::chrono::milliseconds renew_every_;
  uint64_t attempt_ = 0;
  std::optional<time> sent_;         ///< the latest
  std::map<uint64_t, time> waiting_; ///< attempts without an answer, and when they were sent
  std::optional<time> deadline_;
  uint64_t first_revision_ = 0;
};

} // namespace novacron
