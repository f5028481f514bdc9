#pragma once

#include "actors/blocking/operator_command.hpp"
#include "actors/feed/feed_follower.hpp"
#include "actors/log/log.hpp"
#include "actors/stonith/stonith_state.hpp"
#include "messages/actors.hpp"
#include "messages/uuid.hpp"

#include <map>
#include <memory>
#include <optional>

namespace novacron {

struct stonith_setup {
  stonith_config when;
  command_runner run;            ///< of the fence command: the host's name and its uuid follow
  uuid_source ids = random_uuid; ///< of the evacuations that its word begins
};

struct stonith_actor_state {
  stonith_actor_state() = default;
  /// Ends the runs: the next leader's are as good.
  ~stonith_actor_state();
  stonith_actor_state(const stonith_actor_state&) = delete;
  stonith_actor_state& operator=(const stonith_actor_state&) = delete;

  stonith_state stonith;
  command_runner run;
  uuid_source ids;
  std::optional<feed_follower> follower;
  controller_frontend_actor frontend;
  std::map<node_id, std::shared_ptr<command_stop>> runs;
  logger log;
  static constexpr const char* name = "stonith";
};

/// Follows `feed`; runs the command for each host that is unreachable while VMs of it wait for
/// proof that they stopped; and tells the log by `frontend` that a host is off, as
/// `novacron host fenced` does. Killed, it ends its runs.
stonith_actor::behavior_type stonith(stonith_actor::stateful_pointer<stonith_actor_state> self,
                                     stonith_setup setup, feed_source_actor feed,
                                     controller_frontend_actor frontend, logger log);

} // namespace novacron
