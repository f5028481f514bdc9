#include "actors/host/host_lease.hpp"

namespace novacron {

std::optional<uint64_t> host_lease::tick(time now) {
  if (sent_ && now - *sent_ < renew_every_)
    return std::nullopt;
  sent_ = now;
  // An attempt that is older than a term would grant nothing any more.
  std::erase_if(waiting_, [&](const auto& each) { return now - each.second >= term_; });
  waiting_.emplace(++attempt_, now);
  return attempt_;
}

std::optional<host_lease::time> host_lease::granted(uint64_t attempt, uint64_t revision, time now) {
  auto found = waiting_.find(attempt);
  if (found == waiting_.end())
    return std::nullopt;
  const auto deadline = found->second + term_;
  waiting_.erase(waiting_.begin(), std::next(found));
  if (!held(now))
    first_revision_ = revision;
  return deadline;
}

} // namespace novacron
