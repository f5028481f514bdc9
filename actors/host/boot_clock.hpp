#pragma once

#include <chrono>

namespace novacron {

/// CLOCK_BOOTTIME: goes on while the machine sleeps, the same for all processes
/// of one boot. What leases and their fencer count on.
std::chrono::nanoseconds boot_clock_now();

} // namespace novacron
