#pragma once

#include "actors/drain/drain_state.hpp"
#include "actors/feed/feed_follower.hpp"
#include "actors/log/log.hpp"
#include "messages/actors.hpp"

#include <optional>

namespace novacron {

struct drain_actor_state {
  drain_state drain;
  std::optional<feed_follower> follower;
  controller_frontend_actor frontend;
  logger log;
  static constexpr const char* name = "drain";
};

/// Carries out drains and rebalances; kept by `leader_only`. It proposes to
/// `frontend` as another controller would, so that what it orders is refused where
/// nobody leads any more. Killed, it forgets nothing that counts.
drain_actor::behavior_type drain(drain_actor::stateful_pointer<drain_actor_state> self,
                                 drain_config config, feed_source_actor feed,
                                 controller_frontend_actor frontend, logger log);

} // namespace novacron
