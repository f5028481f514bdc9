#pragma once

#include <chrono>
#include <cstdint>

namespace novacron {

/// How many connections a session should have.
///
/// The problem: on a far link that loses packets each connection's congestion window holds it back
/// long before the link is full (Mathis et al., 1997: the square root of the loss, and the round
/// trip, bound it), and n connections have n windows. Where the link is full already more of them
/// only queue and cost handshakes. Nobody tells which it is; so while batches wait for the link,
/// it is tried: twice as many, and again as long as at least a fifth more is carried. What didn't
/// help is not tried again before the link has become another one.
///
/// Pure. Looked at once a second at most.
class stream_planner {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds interval{1'000};
  static constexpr double worthwhile = 1.2;

  stream_planner(unsigned streams, unsigned most, time_point now);

  /// Says, now and then, whether something waits for the link.
  void note(bool link_waited);
  /// How many there should be from now on, given the bytes that the link has carried so far.
  unsigned choose(uint64_t carried, time_point now);
  /// No more can be had.
  void stop_at(unsigned streams);

private:
  enum class course : uint8_t {
    looking, ///< at what the present ones carry
    opening, ///< more of them; what is carried meanwhile says nothing
    judging, ///< whether they carry more
    settled,
  };

  bool interval_over(uint64_t carried, time_point now);
  void open_more();

  unsigned streams_;
  unsigned most_;
  course course_ = course::looking;
  double rate_ = 0;   ///< bytes a second, of the interval that ended last
  double before_ = 0; ///< of what is compared with
  bool waited_ = false;
  time_point since_;
  uint64_t carried_ = 0;
  uint32_t notes_ = 0;
  uint32_t waits_ = 0;
};

} // namespace novacron
