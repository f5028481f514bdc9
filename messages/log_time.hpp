#pragma once

#include <chrono>

namespace novacron {

/// Milliseconds since 1970, from the clock of the frontend that proposed the
/// command. Never goes back in the log.
using log_time = std::chrono::sys_time<std::chrono::milliseconds>;

} // namespace novacron
