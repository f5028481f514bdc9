#pragma once

#include "actors/scheduler/placement_state.hpp"
#include "messages/commands.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace novacron {

struct rebalance_limits {
  size_t most_moves = 4; ///< of one round
  uint32_t most_spread
      = 200; ///< hosts whose loads differ by no more are left alone, in thousandths
};

struct rebalance_step {
  vm_id vm;
  node_id from;
  node_id to;
  uint32_t spread = 0; ///< after it
};

/// One round of migrations, in their order.
struct rebalance_plan {
  std::vector<rebalance_step> steps;
  uint32_t spread = 0;                ///< before, in thousandths of a host's memory
  std::map<node_id, uint32_t> before; ///< each host's promised memory, in thousandths
  std::map<node_id, uint32_t> after;
};

/// Proposes migrations from the most loaded host, until the spread of loads is
/// small enough, the round is full, or no move makes hosts more alike. A move is
/// proposed only where every placement filter lets the VM go, and only if the sum
/// of the squares of the loads falls, so that no round undoes another one's.
///
/// Counts hosts that are up, and moves VMs that run. Pure and deterministic.
rebalance_plan plan_rebalance(placement_state state, rebalance_limits limits);

} // namespace novacron
