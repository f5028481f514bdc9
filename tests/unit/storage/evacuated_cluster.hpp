#pragma once

#include "drained_cluster.hpp"

namespace novacron {

/// A cluster whose node-1 is off, with a VM of each kind on it; the test gives the orders.
struct evacuated_cluster : drained_cluster {
  static constexpr auto guarded = test_id<vm_id>(13); ///< runs, with a restart policy
  static constexpr auto plain = test_id<vm_id>(14);   ///< runs, without
  static constexpr auto idle = test_id<vm_id>(15);    ///< is stopped

  evacuated_cluster() {
    policy = restart_policy::on_failure;
    runs(guarded, "guarded");
    policy = restart_policy::never;
    runs(plain, "plain");
    create(idle, "idle", node_1, 64);
  }

  /// The host is lost, and somebody says that it is off.
  command_outcome fence(task_id begins = {}) {
    lose(node_1);
    return run(fence_host{node_1, begins});
  }

  command_outcome evacuate(task_id id = task) {
    maintain_host x;
    x.host = node_1;
    x.wish = maintenance_wish::evacuate;
    x.task = id;
    return run(x);
  }

  /// Recovery's order for a lost VM.
  command_outcome replace(vm_id id, node_id to = node_2, const std::string& problem = {}) {
    const auto& x = *state.find(id);
    return run(replace_vm{id, x.epoch, state.find(x.host)->lost_lease, to, problem});
  }

  move_state became_of(vm_id id) const { return part_of(id).state; }
};

} // namespace novacron
