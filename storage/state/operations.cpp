// Operations: what became of accepted calls. A VM names the latest that runs.

#include "storage/state/batch_applier.hpp"

namespace novacron {

bool batch_applier::running(operation_id operation) const {
  auto record = state_.find(operation);
  return record && record->state == operation_state::running;
}

std::optional<batch_applier::outcome> batch_applier::join(const vm_record& vm,
                                                          operation_verb verb) {
  auto record = state_.find(vm.operation);
  if (!record || record->state != operation_state::running || record->verb != verb)
    return {};
  return accept(vm, vm.operation);
}

std::optional<batch_applier::outcome> batch_applier::seen_before(operation_id operation, vm_id vm) {
  auto record = state_.find(operation);
  if (!record)
    return {};
  if (record->vm != vm)
    return refuse(command_errc::wrong_state,
                  "operation " + to_string(operation) + " belongs to another vm; choose a new id");
  outcome repeated;
  repeated.repeated = true;
  repeated.vm = vm;
  repeated.operation = operation;
  repeated.migration = record->migration;
  if (auto migration = state_.find(record->migration); migration && !migration->waits())
    repeated.phase = migration->phase;
  return repeated;
}

void batch_applier::supersede(const vm_record& vm, operation_verb verb) {
  auto record = state_.find(vm.operation);
  if (record && record->verb != operation_verb::migrate)
    end(record->id, "superseded by " + to_string(verb));
}

void batch_applier::begin(operation_id operation, operation_verb verb, vm_id vm,
                          migration_id migration) {
  if (operation.nil())
    return;
  operation_record record;
  record.id = operation;
  record.verb = verb;
  record.vm = vm;
  record.migration = migration;
  record.created = state_.now_;
  add(std::move(record));
}

void batch_applier::begin_ended(operation_id operation, operation_verb verb, vm_id vm) {
  if (operation.nil())
    return;
  operation_record record;
  record.id = operation;
  record.verb = verb;
  record.vm = vm;
  record.state = operation_state::succeeded;
  record.created = record.ended = state_.now_;
  add(std::move(record));
}

void batch_applier::end(operation_id operation, const std::string& error) {
  if (!running(operation))
    return;
  const auto& record = *state_.find(operation);
  edit(record, [&](operation_record& x) {
    x.state = error.empty() ? operation_state::succeeded : operation_state::failed;
    x.error = error;
    x.ended = state_.now_;
  });
  auto vm = state_.find(record.vm);
  if (!vm || vm->operation != operation)
    return;
  // A migration that is being given up outlives the stop that ended it.
  operation_id latest;
  if (auto migration = state_.find(vm->migration); migration && running(migration->operation))
    latest = migration->operation;
  edit(*vm, [&](vm_record& x) { x.operation = latest; });
}

} // namespace novacron
