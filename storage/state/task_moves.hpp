#pragma once

#include "messages/records.hpp"

namespace novacron {

/// The first `command_batch::cluster_version` with maintenance and placement rules.
inline constexpr uint32_t maintenance_since = 3;

/// Migrations of one VM that a drain tries. A rebalance tries one.
inline constexpr uint32_t most_attempts = 5;

/// VMs that a drain or an evacuation may have, so that its record is one that can be read.
inline constexpr size_t most_task_vms = 4'096;

/// Its moves are made by its own orders, and count for how many there may be at a time. In an
/// evacuation those that move are recovery's.
inline bool goes_by_orders(const task_record& of) {
  return of.kind != task_kind::evacuation;
}

/// Whatever hasn't begun by now doesn't begin.
bool deadline_passed(const task_record& task, log_time now);

/// It has no guest that would have to be brought along.
bool without_guest(const vm_record& vm);

/// What became of one VM's part of a task: `vm`, null when it is gone, has
/// changed since `move` was last looked at. `last` is the VM's migration that is under way or
/// waits for its turn, else the one that the move was in, or null.
///
///     waiting ─▶ moving ─▶ finished
///        ▲         │ rolled back
///        └─────────┴──▶ failed, after `most_attempts`, or as the deadline's policy says
///
/// In an evacuation nothing goes back: a VM moves while it starts where it was placed, and has
/// failed when it can't.
///
/// Pure.
task_move looked_at(const task_record& task, task_move move, const vm_record* vm,
                    const migration_record* last);

/// What is next for one that waits once the time for moving it is over: stop its
/// guest, or give it up.
enum class last_resort : uint8_t { none, stop_guest, give_up };
last_resort resort_of(const task_record& task, const task_move& move, const vm_record* vm,
                      log_time now);

} // namespace novacron
