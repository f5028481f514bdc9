#pragma once

#include "actors/supervisor/supervisor.hpp"

#include <caf/typed_response_promise.hpp>

namespace novacron {

/// The children of a supervisor, each followed by its own. One that doesn't
/// answer within a second is shown without children.
caf::typed_response_promise<std::vector<actor_status>>
walk_tree(supervisor_with_clock::stateful_pointer<supervisor_actor_state> self);

} // namespace novacron
