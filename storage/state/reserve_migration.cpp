#include "storage/state/batch_applier.hpp"
#include "storage/state/task_moves.hpp"

namespace novacron {

batch_applier::outcome batch_applier::apply(const reserve_migration& command) {
  auto vm = state_.find(command.vm);
  if (!vm)
    return refuse(command_errc::unknown_vm, "there is no vm " + to_string(command.vm));
  if (auto before = seen_before(command.operation, command.vm))
    return *before;
  const auto what = "vm " + vm->name + ": ";
  if (vm->actual == actual_state::gone || vm->requested == requested_state::deleted)
    return refuse(command_errc::vm_deleted, what + "it is deleted");
  if (command.if_revision != 0 && command.if_revision != vm->revision)
    return refuse(command_errc::revision_mismatch,
                  what + "it is at revision " + std::to_string(vm->revision) + ", not at "
                      + std::to_string(command.if_revision) + "; read it again and decide anew");
  const auto* other = migration_of(*vm);
  if (other || command.migration.nil() || state_.find(command.migration))
    return refuse(
        command_errc::migration_in_progress,
        what + (other && other->waits() ? "it waits for its turn to migrate" : "it is migrating")
            + "; wait for the end of migration "
            + to_string(other ? other->id : command.migration));
  const bool starts_again = vm->restarts.due != log_time{};
  if (without_guest(*vm) && !starts_again && batch_.cluster_version >= cold_moves_since)
    return move_cold(*vm, command);
  if (vm->requested != requested_state::running || vm->actual != actual_state::running)
    return refuse(command_errc::wrong_state,
                  what + "it is " + to_string(vm->actual)
                      + "; only one that runs, or that has no guest, can migrate");
  if (command.to == vm->host)
    return refuse(command_errc::same_host, what + "it is on that host already; choose another");
  auto to = state_.find(command.to);
  if (!to)
    return refuse(command_errc::unknown_host, what + "there is no host " + to_string(command.to));
  if (auto why = why_not_on(*to, vm->spec, vm->id, state_.find(vm->host)))
    return *why;
  if (state_.queue_.size() >= most_queued_migrations)
    return refuse(command_errc::overloaded,
                  what + std::to_string(most_queued_migrations)
                      + " migrations wait for their turn, and no more may; come back when some "
                        "have begun, or cancel some: novacron migration ls");

  migration_record migration;
  migration.id = command.migration;
  migration.vm = vm->id;
  migration.from = vm->host;
  migration.to = command.to;
  migration.epoch = vm->epoch;
  migration.operation = command.operation;
  migration.created = state_.now_;
  migration.terms = command.terms;
  migration.phase = migration_phase::queued;
  add(std::move(migration));
  begin(command.operation, operation_verb::migrate, vm->id, command.migration);
  if (const auto& asked = *state_.find(command.migration); may_begin_at_once(asked))
    begin_migration(asked);
  auto accepted = accept(*vm, command.operation);
  accepted.migration = command.migration;
  return accepted;
}

/// There is nothing to bring along: it has another place, at once.
batch_applier::outcome batch_applier::move_cold(const vm_record& vm,
                                                const reserve_migration& command) {
  auto moved = place_elsewhere(vm, command.to);
  if (!moved.ok())
    return moved;
  begin_ended(command.operation, operation_verb::migrate, vm.id);
  moved.operation = command.operation;
  return moved;
}

} // namespace novacron
