#pragma once

#include "wires.hpp"

#include <caf/event_based_actor.hpp>

namespace novacron::sim {

/// Stands where CAF's middleman and its broker stand: opens ports, connects, and
/// finds what connected nodes have, over `over` for the process `in`. Both outlive it.
caf::behavior mesh_actor(caf::event_based_actor* self, wires* over, process* in);

} // namespace novacron::sim
