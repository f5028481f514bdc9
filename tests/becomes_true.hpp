#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace novacron {

/// Waits until `holds` says yes, and looks every few milliseconds, or less often where looking
/// costs more: a test that spun would take the processor from what it waits for. False: not in
/// time.
inline bool becomes_true(std::chrono::milliseconds limit, const std::function<bool()>& holds,
                         std::chrono::milliseconds between_looks = std::chrono::milliseconds{2}) {
  const auto latest = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > latest)
      return false;
    std::this_thread::sleep_for(between_looks); // poll interval
  }
  return true;
}

} // namespace novacron
