#pragma once

#include <chrono>
#include <cstdint>

namespace novacron {

struct scale_out_config {
  std::chrono::milliseconds after{2'000};  ///< that requests must have been sent away
  std::chrono::milliseconds pause{60'000}; ///< between a run's end and the next one
  /// Without one that is sent away it is over: more than the second after which who was
  /// sent away may come again.
  std::chrono::milliseconds calm{3'000};
};

/// When one more gateway is to be asked for.
///
/// The problem: a gateway that is full sends requests away for as long as its users ask too much of
/// it. Somebody can start one more, which takes a while; and a short crowd needs none. So it is
/// asked for when requests have been sent away for a while without a break, and then not again
/// until the one that was asked for had time to come. Pure.
class scale_out_state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `shed`: how many were sent away before.
  explicit scale_out_state(scale_out_config config = {}, uint64_t shed = 0)
      : config_{config}, seen_{shed} {
    // nop
  }

  /// `shed`: how many were sent away so far, a number that only grows. True: run the command now,
  /// → `ended`.
  bool look(uint64_t shed, time_point now);
  void ended(time_point now);

private:
  scale_out_config config_;
  uint64_t seen_;
  bool crowded_ = false;
  bool runs_ = false;
  time_point since_; ///< while crowded
  time_point last_;  ///< when one was sent away
  time_point not_before_;
};

} // namespace novacron
