#include "tests/lab/link/link_queue.hpp"

#include <algorithm>
#include <cmath>

namespace novacron::lab {

std::optional<link_queue::time> link_queue::pass(time now, size_t bytes) {
  const auto begins = std::max(now, free_at_);
  if (begins - now > shape_.queue) {
    ++dropped_;
    return std::nullopt;
  }
  free_at_ = begins;
  if (shape_.rate_mbit_per_s > 0)
    free_at_ += time{std::llround(static_cast<double>(bytes) * 8'000 / shape_.rate_mbit_per_s)};
  sent_bytes_ += bytes;
  // Lost on the way: it has taken its time on the wire.
  if (shape_.loss > 0 && std::uniform_real_distribution{}(random_) < shape_.loss) {
    ++lost_;
    return std::nullopt;
  }
  return free_at_ + shape_.delay;
}

} // namespace novacron::lab
