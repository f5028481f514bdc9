#pragma once

#include "latencies.hpp"

#include <chrono>
#include <string>

namespace novacron::bench {

/// What one run of the load is like.
struct load_plan {
  size_t outstanding = 1; ///< calls under way, all the time
  size_t value_bytes = 256;
  std::chrono::milliseconds warm_up{1'000};
  std::chrono::milliseconds lasts{5'000};
};

/// A group of voters, each a process, and a native client that writes to it over
/// TLS. Everything throws std::runtime_error with a sentence when it can't go on.
class system_under_test {
public:
  virtual ~system_under_test() = default;

  /// Writes of new keys through the leader, in a closed loop.
  virtual load_result load(const load_plan& plan) = 0;

  /// Kills the leader under writes with SIGKILL, and starts it again. The time
  /// from the kill to the end of the first write that was sent after it; returns
  /// once all voters stand again.
  virtual std::chrono::duration<double, std::milli> kill_leader() = 0;
};

} // namespace novacron::bench
