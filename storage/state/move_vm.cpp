// A task's orders, one VM at a time.

#include "storage/state/batch_applier.hpp"
#include "storage/state/task_moves.hpp"

#include <algorithm>
#include <set>

namespace novacron {

namespace {

/// A rebalance goes in rounds; a plan that is longer isn't one.
constexpr size_t most_planned_moves = 256;

/// Where `vm` is in the task's moves; their number if it isn't.
size_t place_of(const task_record& task, vm_id vm) {
  auto at = std::ranges::find(task.moves, vm, &task_move::vm);
  return static_cast<size_t>(at - task.moves.begin());
}

std::string why_not_now(const task_record& task, size_t at, uint32_t attempt) {
  const auto what = "task " + to_string(task.id);
  if (task.state != task_state::running)
    return what + " is " + to_string(task.state);
  if (at == task.moves.size())
    return what + " doesn't move that vm";
  const auto& move = task.moves[at];
  if (move.state != move_state::waiting || move.attempts != attempt)
    return what + ": the vm is " + to_string(move.state) + ", at attempt "
           + std::to_string(move.attempts);
  return {};
}

} // namespace

batch_applier::outcome batch_applier::apply(const start_rebalance& command) {
  if (auto taken = task_id_taken(command.task))
    return *taken;
  for (const auto& id : state_.running_tasks_)
    if (state_.find(id)->kind == task_kind::rebalance)
      return refuse(command_errc::wrong_state,
                    "task " + to_string(id) + " rebalances already; wait for its end");
  if (command.moves.empty() || command.moves.size() > most_planned_moves)
    return refuse(command_errc::wrong_state,
                  "a rebalance makes 1 to " + std::to_string(most_planned_moves) + " moves");
  std::set<vm_id> seen;
  task_record task;
  for (const auto& planned : command.moves) {
    auto vm = state_.find(planned.vm);
    if (!vm || !seen.insert(planned.vm).second)
      return refuse(command_errc::unknown_vm,
                    "there is no vm " + to_string(planned.vm) + ", or it is named twice");
    if (!state_.find(planned.to))
      return refuse(command_errc::unknown_host, "there is no host " + to_string(planned.to));
    task_move move;
    move.vm = planned.vm;
    move.to = planned.to;
    task.moves.push_back(std::move(move));
  }
  outcome accepted;
  task.id = accepted.task = command.task;
  task.kind = task_kind::rebalance;
  task.parallel = std::max(command.parallel, uint32_t{1});
  task.created = state_.now_;
  add(std::move(task));
  return accepted;
}

batch_applier::outcome batch_applier::apply(const move_vm& command) {
  auto task = state_.find(command.task);
  if (!task)
    return refuse(command_errc::unknown_task, "there is no task " + to_string(command.task));
  const auto at = place_of(*task, command.vm);
  if (auto why = why_not_now(*task, at, command.attempt); !why.empty())
    return refuse(command_errc::revision_mismatch, std::move(why));
  auto moving = std::ranges::count(task->moves, move_state::moving, &task_move::state);
  if (moving >= task->parallel && goes_by_orders(*task))
    return refuse(command_errc::migration_in_progress,
                  "task " + to_string(task->id) + ": " + std::to_string(moving)
                      + " migrations are under way; wait for one");
  auto vm = state_.find(command.vm);
  if (!vm)
    return refuse(command_errc::unknown_vm, "there is no vm " + to_string(command.vm));
  if (task->kind != task_kind::rebalance && vm->host != task->host)
    return refuse(command_errc::revision_mismatch, "vm " + vm->name + " has left the host already");
  if (task->kind == task_kind::evacuation && !(is_fenced(task->host) && without_guest(*vm)))
    return refuse(command_errc::revision_mismatch,
                  "vm " + vm->name
                      + " isn't the task's to place: its host is back, or it is to run, and "
                        "recovery places it");
  migration_terms terms;
  if (task->kind == task_kind::rebalance && knows_queue())
    terms.priority = migration_priority::low; // a wish, not a need
  auto done
      = without_guest(*vm)
            ? place_elsewhere(*vm, command.to)
            : apply(reserve_migration{command.migration, command.vm, command.to, 0, {}, terms});
  if (!done.ok())
    return done;
  done.task = task->id;
  // What this makes of the move is seen with the VM, at the end of the batch; the
  // next order of the same batch must know of it before.
  if (!vm->migration.nil() || state_.queued_of(vm->id))
    edit(*task, [&](task_record& x) {
      x.moves[at].state = move_state::moving;
      x.moves[at].migration = command.migration;
      x.moves[at].reason.clear();
    });
  return done;
}

batch_applier::outcome batch_applier::apply(const note_move& command) {
  auto task = state_.find(command.task);
  if (!task)
    return refuse(command_errc::unknown_task, "there is no task " + to_string(command.task));
  const auto at = place_of(*task, command.vm);
  if (auto why = why_not_now(*task, at, command.attempt); !why.empty())
    return refuse(command_errc::revision_mismatch, std::move(why));
  outcome accepted;
  accepted.task = task->id;
  if (task->moves[at].reason != command.reason)
    edit(*task, [&](task_record& x) { x.moves[at].reason = command.reason; });
  return accepted;
}

} // namespace novacron
