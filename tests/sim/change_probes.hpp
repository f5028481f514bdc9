#pragma once

#include "probes.hpp"
#include "storage/consensus/membership_changes.hpp"

namespace novacron::sim {

struct change_circumstances {
  bool of_the_leader = false; ///< it is the leader itself that is to change
  bool in_partition = false;
};

/// Which rare paths a change of the members took.
void count_change(probes& seen, const membership_change& wish, const change_result& became,
                  change_circumstances when);

} // namespace novacron::sim
