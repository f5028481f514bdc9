#pragma once

#include "actors/peer/controller_choice.hpp"
#include "actors/peer/link.hpp"

#include <optional>
#include <vector>

namespace novacron {

struct any_controller_state {
  any_controller_state() = default;
  ~any_controller_state();

  std::optional<controller_choice> choice;
  link_config pattern;
  std::vector<address> addresses; ///< of `links`
  std::vector<link_actor> links;
  bool probing = false;
  static constexpr const char* name = "controller";
};

/// The way to the log for a node without a replica: links to all `controllers`,
/// and to those that the roster knows, of which one is used. Reads that fail are repeated with the
/// others at once; proposals only while they have certainly done nothing. However it ends, its
/// links end with it.
controller_actor::behavior_type
any_controller(controller_actor::stateful_pointer<any_controller_state> self, link_config pattern,
               const std::vector<address>& controllers);

} // namespace novacron
