#pragma once

#include "actors/frontend/forwarding.hpp"
#include "actors/frontend/frontend_state.hpp"
#include "actors/peer/standing_links.hpp"
#include "messages/actors.hpp"

#include <caf/typed_response_promise.hpp>
#include <unordered_map>

namespace novacron {

/// A frontend and its own clock.
using frontend_with_clock = controller_frontend_actor::extend<caf::reacts_to<tick_atom>>;

/// The two pure parts, and those who wait: `forwarding` chooses between here and
/// the leader's node, `frontend` is the way into the log here. However the actor
/// ends, those who wait are told what is known of their commands.
struct frontend_actor_state {
  frontend_actor_state() = default;
  ~frontend_actor_state();

  novacron::forwarding forwarding;
  frontend_state frontend;
  std::shared_ptr<standing_links> links;
  replica_actor replica;
  scheduler_actor scheduler;
  proposal_ticket last_ticket = 0;
  std::unordered_map<proposal_ticket, caf::typed_response_promise<outcomes>> waiting;
  std::optional<frontend_state::time_point> next_tick;
  static constexpr const char* name = "frontend";
};

/// The way into the log: into that of `replica` while it leads, else over
/// `links`, which may be null, to the frontend of the leader's node. Holds
/// nothing that must survive it.
frontend_with_clock::behavior_type
frontend(frontend_with_clock::stateful_pointer<frontend_actor_state> self, frontend_config config,
         replica_actor replica, scheduler_actor scheduler, std::shared_ptr<standing_links> links);

} // namespace novacron
