#include "actors/host/boot_clock.hpp"

#include <ctime>

namespace novacron {

std::chrono::nanoseconds boot_clock_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

} // namespace novacron
