#pragma once

#include "test_cluster.hpp"

#include <doctest/doctest.h>

namespace novacron {

using namespace std::chrono_literals;

inline constexpr auto task = test_id<task_id>(31);
inline constexpr auto second = test_id<vm_id>(12);

/// A cluster whose node-1 is drained; the test gives the task's orders itself.
struct drained_cluster : test_cluster {
  command_outcome wish(maintenance_wish what, node_id on = node_1) {
    maintain_host x;
    x.host = on;
    x.wish = what;
    x.task = task;
    return run(x);
  }

  command_outcome drain(std::chrono::milliseconds deadline = 0ms,
                        deadline_policy then = deadline_policy::leave, uint32_t parallel = 2) {
    return run(maintain_host{node_1, maintenance_wish::drain, task, parallel, deadline, then});
  }

  void runs(vm_id id, const std::string& name) {
    create(id, name, node_1, 64);
    request(requested_state::running, id);
    see(actual_state::running, {}, id);
  }

  command_outcome order(vm_id id = vm, uint32_t attempt = 0, migration_id by = move) {
    return run(move_vm{task, id, attempt, node_2, by});
  }

  /// The VM's migration ends well.
  void arrives(vm_id id = vm, migration_id by = move) {
    run(decide_migration{by, state.find(by)->epoch, migration_decision::commit, {}});
    see_on(node_2, state.find(id)->epoch, actual_state::running, {}, id);
    clean(node_1, {}, by);
  }

  /// Or it doesn't.
  void rolls_back(migration_id by = move) {
    run(decide_migration{by, state.find(by)->epoch, migration_decision::abort, "the link broke"});
    clean(node_1, {}, by);
    clean(node_2, {}, by);
    const auto moved = state.find(by)->vm;
    see(actual_state::running, {}, moved);
  }

  const task_record& the_task() const { return *state.find(task); }
  const task_move& part_of(vm_id id = vm) const {
    for (const auto& each : the_task().moves)
      if (each.vm == id)
        return each;
    FAIL("not in the task");
    return the_task().moves.front();
  }
  host_state of(node_id id) const { return state.find(id)->state; }
};

} // namespace novacron
