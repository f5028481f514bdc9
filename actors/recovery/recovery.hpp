#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/log/log.hpp"
#include "actors/recovery/recovery_state.hpp"
#include "messages/actors.hpp"

#include <optional>

namespace novacron {

struct recovery_actor_state {
  recovery_state recovery;
  std::optional<feed_follower> follower;
  logger log;
  static constexpr const char* name = "recovery";
};

/// Follows `feed`, and orders a place for each VM that was lost with its host from
/// `frontend`, which asks the scheduler. Its orders are taken only while the
/// replica here leads. Killed, it reads the state again; an order that was on its
/// way is applied or not, and the next one finds out.
recovery_actor::behavior_type recovery(recovery_actor::stateful_pointer<recovery_actor_state> self,
                                       recovery_config config, feed_source_actor feed,
                                       controller_frontend_actor frontend, logger log);

} // namespace novacron
