#pragma once

#include "messages/records.hpp"
#include "scheduler.hpp"

#include <chrono>
#include <cstdint>

namespace novacron::sim {

/// The clocks of one machine. What counts time drifts, within a bound; the wall
/// clock also jumps. Pure states get their time from here, never from the
/// scheduler, so that no two machines agree.
class node_clock {
public:
  explicit node_clock(const scheduler& time) : time_{time} {
    // nop
  }

  /// From now on a second of the world shows as so many millionths more, or less.
  void drift(int64_t ppm) {
    base_own_ = own();
    base_ = time_.now();
    ppm_ = ppm;
  }
  /// Somebody sets the wall clock.
  void jump(std::chrono::milliseconds by) { wall_offset_ += by; }
  /// The machine boots: its clocks count from zero.
  void boot() {
    base_own_ = std::chrono::microseconds{0};
    base_ = time_.now();
    drift(ppm_);
  }

  [[nodiscard]] std::chrono::steady_clock::time_point steady() const {
    // A machine has been up for a while: zero means "never" to some states.
    return std::chrono::steady_clock::time_point{own() + std::chrono::hours{1}};
  }
  /// CLOCK_BOOTTIME.
  [[nodiscard]] std::chrono::nanoseconds boot_time() const {
    return own() + std::chrono::seconds{1};
  }
  [[nodiscard]] log_time wall() const {
    constexpr std::chrono::hours since_1970{24 * 365 * 50};
    return log_time{since_1970 + std::chrono::milliseconds{static_cast<int64_t>(time_.now())}
                    + wall_offset_};
  }

private:
  [[nodiscard]] std::chrono::microseconds own() const {
    const auto passed = static_cast<int64_t>(time_.now() - base_) * 1000;
    return base_own_ + std::chrono::microseconds{passed + passed * ppm_ / 1'000'000};
  }

  const scheduler& time_;
  uint64_t base_ = 0;
  std::chrono::microseconds base_own_{0};
  int64_t ppm_ = 0;
  std::chrono::milliseconds wall_offset_{0};
};

} // namespace novacron::sim
