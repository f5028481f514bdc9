#pragma once

#include "actors/blocking/operator_command.hpp"
#include "actors/gateway/shed_count.hpp"
#include "actors/log/log.hpp"
#include "actors/scale_out/scale_out_state.hpp"
#include "messages/actors.hpp"

#include <memory>
#include <string>

namespace novacron {

struct scale_out_setup {
  scale_out_config when;
  command_runner run;                     ///< the gateway's name follows the command's words
  std::string node;                       ///< that name
  std::shared_ptr<const shed_count> shed; ///< of this node's gateway
};

struct scale_out_actor_state {
  scale_out_actor_state() = default;
  /// Ends the run.
  ~scale_out_actor_state();
  scale_out_actor_state(const scale_out_actor_state&) = delete;
  scale_out_actor_state& operator=(const scale_out_actor_state&) = delete;

  scale_out_setup setup;
  scale_out_state scale_out;
  std::shared_ptr<command_stop> stop; ///< of the run, if there is one
  logger log;
  static constexpr const char* name = "scale_out";
};

/// Looks at what this node's gateway sends away, and runs the operator's command when one more is
/// needed. Killed, it ends its run.
scale_out_actor::behavior_type
scale_out(scale_out_actor::stateful_pointer<scale_out_actor_state> self, scale_out_setup setup,
          logger log);

} // namespace novacron
