#include "latencies.hpp"

#include <algorithm>
#include <cmath>

namespace novacron::bench {

double latencies::percentile_ms(double share) {
  if (all_.empty())
    return 0;
  if (sorted_ != all_.size())
    std::ranges::sort(all_);
  sorted_ = all_.size();
  const auto rank = std::ceil(share * static_cast<double>(all_.size()));
  const auto at = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return std::chrono::duration<double, std::milli>(all_[std::min(at, all_.size() - 1)]).count();
}

} // namespace novacron::bench
