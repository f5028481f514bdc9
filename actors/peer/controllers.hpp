#pragma once

#include "actors/peer/link.hpp"

#include <map>
#include <vector>

namespace novacron {

/// Which controllers a node dials. CAF bears one connection between two nodes:
/// of two controllers the one that stands later in the list dials, and the
/// other uses the connection that it finds. Nobody dials other nodes, so those,
/// which don't stand in the list, dial all.
std::vector<address> controllers_to_dial(const std::vector<address>& controllers,
                                         const address& own);

/// Which controllers that joined later, as the roster knows, a controller dials
/// besides. Those of the list dial none: who joins dials them. Of two that joined,
/// the one with the greater id dials; and one that isn't known yet itself, as far as
/// it knows, dials all, since nobody can dial it.
std::vector<known_controller> joined_to_dial(const std::vector<address>& controllers,
                                             const address& own, node_id self,
                                             const std::vector<known_controller>& known);

struct controllers_state {
  controllers_state() = default;
  ~controllers_state();

  link_config pattern;
  std::vector<address> listed; ///< all controllers of the node's file
  address own;
  std::vector<link_actor> dialled;
  std::map<node_id, link_actor> joined; ///< of those that came later, and that we dial
  std::map<node_id, link_actor> back;   ///< over connections that the others made
  static constexpr const char* name = "controllers";
};

/// A controller's links to the other controllers: dials those of `listed` that it
/// has to, and those that joined later, and links back to all that come.
/// `pattern.known` and `pattern.standing` are set. However it ends, its links end
/// with it; and it ends with any of them but those to nodes that were removed.
controllers_actor::behavior_type
controllers(controllers_actor::stateful_pointer<controllers_state> self, link_config pattern,
            std::vector<address> listed, const address& own);

} // namespace novacron
