#pragma once

#include <caf/actor.hpp>
#include <caf/io/middleman_actor.hpp>

namespace novacron {

/// Who opens this node's port and connects to other nodes, for its door and its
/// links. Unless something else is named, as the simulation does, it is CAF's
/// middleman over TLS.
struct mesh_ports {
  caf::io::middleman_actor connector; ///< invalid: the actor system's own
  /// Finds by name what a node has that is connected already; understands what
  /// CAF's BASP broker does. Invalid: that broker.
  caf::actor lookup;
};

} // namespace novacron
