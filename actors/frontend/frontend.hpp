#pragma once

#include "actors/frontend/frontend_state.hpp"
#include "messages/actors.hpp"

#include <caf/typed_response_promise.hpp>
#include <unordered_map>

namespace novacron {

/// A frontend and its own clock.
using frontend_with_clock = frontend_actor::extend<caf::reacts_to<tick_atom>>;

/// The pure frontend and those who wait for it. However the frontend ends, they
/// are told that nobody knows what became of their commands.
struct frontend_actor_state {
  frontend_actor_state() = default;
  ~frontend_actor_state();

  frontend_state frontend;
  replica_actor replica;
  scheduler_actor scheduler;
  proposal_ticket last_ticket = 0;
  std::unordered_map<proposal_ticket, caf::typed_response_promise<outcomes>> waiting;
  std::optional<frontend_state::time_point> next_tick;
  static constexpr const char* name = "frontend";
};

/// The way into the log of `replica`. Holds nothing that must survive it.
frontend_with_clock::behavior_type
frontend(frontend_with_clock::stateful_pointer<frontend_actor_state> self, frontend_config config,
         replica_actor replica, scheduler_actor scheduler);

} // namespace novacron
