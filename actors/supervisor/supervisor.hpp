#pragma once

#include "actors/log/log.hpp"
#include "actors/supervisor/supervisor_state.hpp"
#include "messages/actors.hpp"

#include <caf/actor_addr.hpp>
#include <unordered_map>

namespace novacron {

/// A supervisor and its own clock.
using supervisor_with_clock = supervisor_actor::extend<caf::reacts_to<tick_atom>>;

/// The pure supervisor and the children that live now. However the supervisor
/// ends, its children end with it: those that live still are killed.
struct supervisor_actor_state {
  supervisor_actor_state() = default;
  ~supervisor_actor_state();

  std::optional<supervisor_state> supervisor;
  std::unordered_map<std::string, caf::actor> living;
  std::unordered_map<caf::actor_addr, std::string> names;
  std::optional<supervisor_state::time_point> next_tick;
  logger log;
  static constexpr const char* name = "supervisor";
};

/// Keeps the children of `spec` alive. Asked to exit, it ends them in order and
/// then itself; when they die too often it does the same, and its own reason is
/// an error: whoever watches it decides what that means.
supervisor_with_clock::behavior_type
supervisor(supervisor_with_clock::stateful_pointer<supervisor_actor_state> self,
           supervisor_spec spec, logger log);

} // namespace novacron
