#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace novacron::bench {

/// How long calls took.
class latencies {
public:
  using duration = std::chrono::steady_clock::duration;

  void add(duration took) { all_.push_back(took); }
  [[nodiscard]] size_t count() const { return all_.size(); }
  /// `share` of the calls took no longer, in milliseconds; 0 without calls. Sorts.
  [[nodiscard]] double percentile_ms(double share);
  [[nodiscard]] double longest_ms() { return percentile_ms(1); }

private:
  std::vector<duration> all_;
  size_t sorted_ = 0; ///< as many are in order
};

/// What a closed loop with a fixed number of calls under way achieved.
struct load_result {
  uint64_t failed = 0;
  std::string first_failure; ///< why, where the client is told
  double seconds = 0;
  latencies calls; ///< those that were answered well
};

} // namespace novacron::bench
