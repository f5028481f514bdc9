#include "storage/state/task_moves.hpp"

namespace novacron {

namespace {

const std::string rolled_back = "rolled back: ";

/// Why a VM can't be moved as it is; empty: it can.
std::string blocker(const vm_record& vm) {
  using enum actual_state;
  if (vm.requested == requested_state::deleted)
    return "it is being deleted";
  if (without_guest(vm) || (vm.requested == requested_state::running && vm.actual == running))
    return {};
  switch (vm.actual) {
  case paused:
    return "it is paused: resume it or stop it";
  case lost:
    return "its host can't be reached";
  case running:
    return "it is asked to be " + to_string(vm.requested) + ", and is not yet";
  default:
    return "it is " + to_string(vm.actual);
  }
}

bool arrived(const task_record& task, const task_move& move, const vm_record& vm) {
  return task.kind == task_kind::drain ? vm.host != task.host : vm.host == move.to;
}

/// A rebalance is a wish, not a need: what can't be done at once is left.
bool tried_enough(const task_record& task, const task_move& move) {
  return task.kind == task_kind::rebalance ? !move.reason.empty() : move.attempts >= most_attempts;
}

/// Its host is off. Who is to run is placed by recovery, and has been evacuated once it runs; the
/// others once they have another place.
task_move evacuated(const task_record& task, task_move move, const vm_record& vm) {
  auto is = [&](move_state state, std::string reason) {
    move.state = state;
    move.reason = std::move(reason);
    return move;
  };
  if (move.state == move_state::finished || move.state == move_state::failed)
    return move; // what becomes of it later is another matter
  const bool to_run = vm.requested == requested_state::running;
  if (vm.host == task.host) {
    if (!vm.migration.nil())
      return is(move_state::waiting, "migration " + to_string(vm.migration) + " isn't over yet");
    return is(move_state::waiting, vm.actual == actual_state::lost ? vm.reason : std::string{});
  }
  move.to = vm.host;
  const bool starts = vm.actual == actual_state::starting || vm.actual == actual_state::lost
                      || vm.restarts.due != log_time{};
  if (to_run && starts)
    return is(move_state::moving, vm.reason);
  // One that had failed before it was placed is only placed.
  if (to_run && vm.actual == actual_state::failed && move.state == move_state::moving)
    return is(move_state::failed, vm.reason);
  return is(move_state::finished, {});
}

} // namespace

bool deadline_passed(const task_record& task, log_time now) {
  return task.deadline != log_time{} && now >= task.deadline;
}

bool without_guest(const vm_record& vm) {
  return vm.migration.nil()
         && (vm.actual == actual_state::defined || vm.actual == actual_state::failed);
}

task_move looked_at(const task_record& task, task_move move, const vm_record* vm,
                    const migration_record* last) {
  auto is = [&](move_state state, std::string reason = {}) {
    move.state = state;
    move.reason = std::move(reason);
    if (state != move_state::moving)
      move.migration = {};
    return move;
  };
  if (!vm || vm->actual == actual_state::gone)
    return is(move_state::finished, "it was deleted");
  if (task.kind == task_kind::evacuation)
    return evacuated(task, move, *vm);
  const bool queued = last && last->waits();
  if (queued || !vm->migration.nil()) {
    move.migration = queued ? last->id : vm->migration;
    if (task.kind == task_kind::drain && last && last->id == move.migration)
      move.to = last->to;
    return is(move_state::moving, queued ? "its migration waits for its turn" : "");
  }
  if (arrived(task, move, *vm)) {
    move.to = vm->host;
    return is(move_state::finished, move.stopped ? "its guest was stopped at the deadline" : "");
  }
  if (move.state == move_state::moving) {
    ++move.attempts;
    return is(move_state::waiting,
              rolled_back + (last ? last->reason : std::string{"nobody knows why any more"}));
  }
  if (move.state == move_state::failed)
    return move;
  auto why = blocker(*vm);
  // How its last attempt ended is worth more than that nothing is in the way now.
  if (why.empty() && move.reason.starts_with(rolled_back))
    why = move.reason;
  return is(move_state::waiting, std::move(why));
}

last_resort resort_of(const task_record& task, const task_move& move, const vm_record* vm,
                      log_time now) {
  if (move.state != move_state::waiting || !vm
      || !(tried_enough(task, move) || deadline_passed(task, now)))
    return last_resort::none;
  if (task.kind == task_kind::rebalance || task.then == deadline_policy::leave)
    return last_resort::give_up;
  if (without_guest(*vm)) // it is moved at once, or nobody has room for it
    return move.reason.empty() ? last_resort::none : last_resort::give_up;
  if (move.stopped || vm->requested == requested_state::deleted)
    return last_resort::none;
  return last_resort::stop_guest;
}

} // namespace novacron
