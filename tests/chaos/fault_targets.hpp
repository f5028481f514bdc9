#pragma once

#include "fault_plan.hpp"

#include <random>
#include <vector>

namespace novacron::chaos {

/// Which of the lab's nodes a fault hits; what `who` leaves open is left to chance. Of `most_ha` it
/// knows only that it is a simulated host. `leader`: 0: nobody leads. `real`: there are real
/// guests. Pure.
std::vector<int> nodes_hit(fault_target who, int leader, bool real, std::mt19937_64& random);

} // namespace novacron::chaos
