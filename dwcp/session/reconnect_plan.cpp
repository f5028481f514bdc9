#include "dwcp/session/reconnect_plan.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

void reconnect_plan::lost(uint16_t connection, failure why, time_point now) {
  lost_.try_emplace(connection, loss{std::move(why), now, now});
}

void reconnect_plan::begun(uint16_t connection) {
  if (const auto x = lost_.find(connection); x != lost_.end())
    x->second.next_try = time_point::max();
}

void reconnect_plan::failed(uint16_t connection, time_point now) {
  if (const auto x = lost_.find(connection); x != lost_.end())
    x->second.next_try = now + between_tries;
}

std::optional<uint16_t> reconnect_plan::due(time_point now) const {
  for (const auto& [connection, x] : lost_)
    if (x.next_try <= now)
      return connection;
  return std::nullopt;
}

reconnect_plan::time_point reconnect_plan::next() const {
  auto soonest = time_point::max();
  for (const auto& [connection, x] : lost_)
    soonest = std::min(soonest, x.next_try);
  return soonest;
}

bool reconnect_plan::given_up(time_point now) const {
  return std::ranges::all_of(lost_, [&](const auto& x) { return now - x.second.since >= limit_; });
}

const failure* reconnect_plan::why() const {
  const auto first
      = std::ranges::min_element(lost_, {}, [](const auto& x) { return x.second.since; });
  return first == lost_.end() ? nullptr : &first->second.why;
}

} // namespace novacron
