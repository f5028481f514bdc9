#pragma once

#include "actors/supervisor/supervisor.hpp"

#include <caf/result.hpp>

namespace novacron {

/// The children of a supervisor, each followed by its own, at most
/// `what.children` of each supervisor; the others are counted in `more`. A
/// supervisor that doesn't answer within a second is shown without children.
///
/// Looks at all children, shown or not: with 100,000 of them it takes some tens
/// of milliseconds, in which the supervisor does nothing else.
caf::result<actor_tree>
walk_tree(supervisor_with_clock::stateful_pointer<supervisor_actor_state> self,
          const actor_tree_request& what);

} // namespace novacron
