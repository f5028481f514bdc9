#pragma once

#include "actors/log/log.hpp"
#include "messages/actors.hpp"

#include <functional>
#include <string>

namespace novacron {

/// Spawns the actor that is to work while this node leads.
using leader_starter = std::function<caf::actor(caf::actor_system&)>;

struct leader_only_state {
  leader_starter start;
  std::string what;
  caf::actor child; ///< null while another node leads
  leadership leader;
  logger log;
  static constexpr const char* name = "leader_only";
};

/// Keeps one actor, `what`, while the replica here leads: it is started anew for
/// each term, so that nothing that it knew of an earlier one counts, and killed
/// when the lead is lost. What it has proposed may still be on its way: the log
/// must be able to tell that it is stale.
///
/// Lives and dies with its child: whoever dies first takes the other along, and
/// the supervisor, whose child this is, starts both anew.
leader_only_actor::behavior_type
leader_only(leader_only_actor::stateful_pointer<leader_only_state> self, std::string what,
            replica_actor replica, leader_starter start, logger log);

} // namespace novacron
