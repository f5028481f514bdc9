#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

namespace novacron::lab {

/// What a link does to the packets that it carries, the same in both directions.
struct link_shape {
  double rate_mbit_per_s = 0;                  ///< 0: unlimited
  std::chrono::nanoseconds delay{0};           ///< one way
  double loss = 0;                             ///< share of the packets that are lost, 0 to 1
  std::chrono::nanoseconds queue{100'000'000}; ///< a packet that would wait longer is dropped
};

/// One direction of a link: when does each packet come out? A packet waits until
/// those before it have been sent, takes its bytes' time at the rate, and travels
/// for the delay. The queue is a tail-drop one, as in a plain router.
///
/// Pure: the caller's clock and a seed; the same calls give the same answers.
class link_queue {
public:
  using time = std::chrono::nanoseconds; ///< since any fixed moment; never goes back

  link_queue(const link_shape& shape, uint64_t seed) : shape_{shape}, random_{seed} {
    // nop
  }

  /// A packet of `bytes` comes at `now`: when it arrives at the other end, no
  /// earlier than those before it. Nothing: it is dropped or lost.
  std::optional<time> pass(time now, size_t bytes);

  [[nodiscard]] uint64_t dropped() const { return dropped_; }       ///< packets; the queue was full
  [[nodiscard]] uint64_t lost() const { return lost_; }             ///< packets
  [[nodiscard]] uint64_t sent_bytes() const { return sent_bytes_; } ///< lost ones, too

private:
  const link_shape shape_;
  std::mt19937_64 random_;
  time free_at_{0}; ///< the sender has sent all that it took
  uint64_t dropped_ = 0;
  uint64_t lost_ = 0;
  uint64_t sent_bytes_ = 0;
};

} // namespace novacron::lab
