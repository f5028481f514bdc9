#include "actors/host/host_lease.hpp"

namespace novacron {

std::optional<uint64_t> host_lease::tick(time now) {
  if (sent_ && now - *sent_ < renew_every_)
    return std::nullopt;
  sent_ = now;
  return ++attempt_;
}

std::optional<host_lease::time> host_lease::granted(uint64_t attempt, uint64_t revision) {
  if (attempt != attempt_ || !sent_)
    return std::nullopt;
  if (first_revision_ == 0)
    first_revision_ = revision;
  return *sent_ + term_;
}

} // namespace novacron
