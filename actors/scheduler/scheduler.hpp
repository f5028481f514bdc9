#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/scheduler/scheduler_state.hpp"
#include "messages/actors.hpp"

#include <optional>

namespace novacron {

struct scheduler_actor_state {
  scheduler_state scheduler;
  std::optional<feed_follower> follower;
  static constexpr const char* name = "scheduler";
};

/// Chooses hosts by what `feed` says. Answers with an error until it has read
/// the whole state once. Killed and restarted it has forgotten its promises:
/// apply refuses what doesn't fit, and the frontend asks again.
scheduler_actor::behavior_type
scheduler(scheduler_actor::stateful_pointer<scheduler_actor_state> self, scheduler_config config,
          feed_source_actor feed);

} // namespace novacron
