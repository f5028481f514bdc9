#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace novacron {

/// How many batches may be under way, sent and not yet released at the other end.
///
/// The problem: what waits anywhere between the two QEMUs when the guest stops
/// is pause, and QEMU's own estimate of the link sees only how fast our socket
/// takes its bytes. So the window is what the other end releases within
/// `queue_time`, beyond the time that a batch needs when nothing waits: the
/// delay of the link is filled, and no more than that queues.
///
/// Pure. Rates are smoothed over about eight acknowledgements.
class flight_window {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds queue_time{150};
  static constexpr size_t least = 4; ///< batches, so that a first estimate can form

  void sent(time_point now);
  void acknowledged(size_t batches, time_point now);

  [[nodiscard]] bool full() const { return under_way_.size() >= frames(); }
  /// The window, in batches.
  [[nodiscard]] size_t frames() const;
  /// How long a batch is under way at most where nothing is wrong: with all that may queue before
  /// it, and once more the link's delay; but twice as long as those of late were, since a guest's
  /// pages that compress less than those before make a longer queue. Nothing before the first
  /// acknowledgement.
  [[nodiscard]] std::optional<std::chrono::steady_clock::duration> longest_flight() const;

private:
  std::deque<time_point> under_way_; ///< when each was sent
  time_point busy_since_;            ///< of the interval that the next acknowledgement ends
  std::chrono::duration<double> interval_{0};    ///< between releases of one batch; 0: unknown
  std::chrono::duration<double> delay_{0};       ///< the same, smoothed
  std::chrono::duration<double> least_delay_{0}; ///< of a batch, sent to released; 0: unknown
};

} // namespace novacron
