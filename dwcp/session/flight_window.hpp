#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace novacron {

/// How much may be under way, sent and not yet released at the other end.
///
/// The problem: what waits anywhere between the two QEMUs when the guest stops
/// is pause, and QEMU's own estimate of the link sees only how fast our socket
/// takes its bytes. So the window is what the other end releases within
/// `queue_time`, beyond the time that a batch needs when nothing waits: the
/// delay of the link is filled, and no more than that queues. Where the link is what is waited for,
/// bytes count; where it is the other end, which unpacks each batch to a mebibyte, batches
/// do. Batches become ten times smaller from one to the next; so there are two bounds, and either
/// follows what was best of late: within a round trip where more gets through.
///
/// Rates are taken as BBR takes them (Cardwell et al., 2016): what was released between a
/// batch's sending and its release, over that time; the best within about a second.
///
/// Pure.
class flight_window {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds queue_time{150};
  static constexpr std::chrono::milliseconds memory{
      500};                          ///< rates count for so long, twice at most
  static constexpr size_t least = 4; ///< batches, so that a first estimate can form

  /// The next batch, which is being packed.
  void sent(time_point now);
  /// How large a batch is; they are numbered from 0 as they were sent.
  void packed(uint64_t number, size_t bytes);
  void acknowledged(size_t batches, time_point now);

  [[nodiscard]] bool full() const;
  /// The window, in batches.
  [[nodiscard]] size_t frames() const;
  /// The window, in bytes.
  [[nodiscard]] size_t bytes() const;
  /// How long a batch is under way at most where nothing is wrong: with all that may queue before
  /// it, and once more the link's delay; but twice as long as those of late were, since a guest's
  /// pages that compress less than those before make a longer queue. Nothing before the first
  /// acknowledgement.
  [[nodiscard]] std::optional<std::chrono::steady_clock::duration> longest_flight() const;

private:
  struct progress {
    uint64_t batches = 0; ///< released
    uint64_t bytes = 0;
    time_point at; ///< of the last release, or when there was something under way again
  };
  struct flight {
    time_point sent;
    std::optional<size_t> bytes; ///< once it is packed
    progress before;             ///< as it was sent
  };
  /// The most of what was seen of late.
  class peak {
  public:
    void see(double value, time_point now);
    [[nodiscard]] double value() const;

  private:
    double current_ = 0;
    double previous_ = 0;
    time_point since_;
  };

  [[nodiscard]] double bytes_under_way() const;
  [[nodiscard]] double released_in_time(const peak& rate) const;

  std::deque<flight> under_way_;
  progress released_;
  size_t known_bytes_ = 0; ///< of what is under way and packed
  size_t unknown_ = 0;     ///< batches under way that aren't packed yet
  double usual_bytes_ = 0; ///< of a batch, smoothed
  peak batches_per_second_;
  peak bytes_per_second_;
  std::chrono::duration<double> delay_{0};       ///< of a batch, smoothed over about eight
  std::chrono::duration<double> least_delay_{0}; ///< of a batch, sent to released; 0: unknown
};

} // namespace novacron
