#pragma once

#include "actors/scheduler/placement.hpp"
#include "actors/scheduler/rebalance.hpp"

#include <functional>
#include <string>

namespace novacron {

// What the scheduler's pure parts found out, as the API shows it.

/// `revision`: of the view that it was planned from.
std::string plan_json(const placement_plan& plan, uint64_t revision);
std::string rebalance_json(const rebalance_plan& plan, const placement_state& state,
                           uint64_t revision);

} // namespace novacron
