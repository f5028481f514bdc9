#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace novacron {

/// What TCP has seen of the path that its packets take. Counters only grow.
struct path_figures {
  uint64_t segments = 0; ///< sent, with those that were sent again
  uint64_t repeated = 0; ///< sent again
  std::chrono::microseconds round_trip{0};
  std::chrono::microseconds least_round_trip{0};
};

/// All zero where the kernel doesn't tell.
path_figures path_of(const descriptor& socket);
/// The name of a TCP socket's congestion control, as in "bbr"; empty where the kernel doesn't
/// tell.
std::string congestion_control_of(const descriptor& socket);
/// False where the kernel has none of that name, or not for us; then nothing has changed.
bool set_congestion_control(const descriptor& socket, const std::string& name);

} // namespace novacron
