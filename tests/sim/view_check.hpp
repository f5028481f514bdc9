#pragma once

#include "actors/view/view_table.hpp"
#include "storage/state/cluster_state.hpp"

#include <string>

namespace novacron::sim {

/// What this view shows that the state doesn't, or the other way; empty: nothing.
std::string wrong_in_view(const view_table& view, const cluster_state& state);

} // namespace novacron::sim
