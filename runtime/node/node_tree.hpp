#pragma once

#include "actors/supervisor/supervision_spec.hpp"
#include "runtime/node/node_actors.hpp"

namespace novacron {

/// What runs on a node, by its roles, and who restarts whom: see `node_parts`. The start
/// functions of the spec keep `parts` by reference, and the rest by value.
supervisor_spec node_tree(caf::actor_system& system, const node_start& start, node_parts& parts);

} // namespace novacron
