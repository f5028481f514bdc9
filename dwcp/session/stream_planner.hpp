#pragma once

#include "dwcp/transport/path_figures.hpp"

#include <chrono>
#include <cstdint>

namespace novacron {

/// How a session's connections shall be.
struct stream_plan {
  unsigned streams = 0;       ///< that carry
  bool other_control = false; ///< with the congestion control for links that lose packets

  friend bool operator==(const stream_plan&, const stream_plan&) = default;
};

/// What a session should do about a link that loses packets.
///
/// The problem: TCP takes each lost packet for a full queue and slows down, so on a far link that
/// loses some a connection stays far below what the link carries (Mathis et al., 1997: the square
/// root of the loss, and the round trip, bound it). Against that helps a congestion control that
/// goes by rate and delay instead (BBR: Cardwell et al., 2016), or more connections, each with a
/// window of its own. Where the queue is full indeed, more connections only make it longer. So
/// something is done only where batches wait for the link, packets get lost, and the round
/// trip shows no queue (as Veno tells the two apart: Fu and Liew, 2003). And nobody knows whether
/// it helps; so it is tried: first the other congestion control, then twice as many connections,
/// and again as long as at least a fifth more is carried. What didn't help is taken back, and not
/// tried again before the link has become another one.
///
/// Pure. Looks once a second at most.
class stream_planner {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds interval{1'000};
  static constexpr double worthwhile = 1.2;
  static constexpr uint64_t lossy_one_in = 5'000; ///< segments

  /// What was so far. Counters only grow, but for connections that are gone.
  struct link_figures {
    uint64_t carried = 0; ///< bytes
    path_figures path;
  };

  /// `most`: connections; no more than `streams` means never more.
  stream_planner(unsigned streams, unsigned most, bool has_other_control, time_point now);

  /// Says, now and then, whether something waits for the link.
  void note(bool link_waited);
  /// Whether it is time to choose.
  [[nodiscard]] bool due(time_point now) const;
  /// How it should be from now on.
  stream_plan choose(const link_figures& so_far, time_point now);
  /// No more connections can be had.
  void stop_at(unsigned streams);
  /// The other congestion control can't be had.
  void no_other_control();

private:
  enum class course : uint8_t {
    looking, ///< at what is carried as it is
    turning, ///< to something else; what is carried meanwhile says nothing
    judging, ///< whether that carries more
    settled,
  };

  void end_interval(const link_figures& so_far, time_point now);
  void try_next();
  void judge();

  stream_plan plan_;
  stream_plan before_plan_; ///< what the present one is compared with
  unsigned most_;
  bool has_other_control_; ///< and it wasn't tried yet
  course course_ = course::looking;
  double rate_ = 0;        ///< bytes a second, of the interval that ended last
  double before_rate_ = 0; ///< of what is compared with
  bool waited_ = false;
  bool lossy_ = false;
  time_point since_;
  link_figures seen_;
  uint32_t notes_ = 0;
  uint32_t waits_ = 0;
};

} // namespace novacron
