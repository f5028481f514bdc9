#include "history.hpp"

#include <algorithm>
#include <iterator>

namespace novacron::sim {

bool history::applies(uint64_t index, const command_batch& batch, const applied_batch& done) {
  if (index <= last_)
    return false;
  last_ = index;
  for (size_t i = 0; i < batch.commands.size(); ++i) {
    const auto& asked = batch.commands[i].idempotency;
    const auto& outcome = done.outcomes[i];
    if (outcome.ok() && !outcome.repeated && !asked.key.empty()
        && !keys_.insert(answer_key(asked)).second)
      throw check_.broken("a call was carried out twice under one Idempotency-Key: " + asked.key);
    if (outcome.repeated && !asked.key.empty())
      seen_.hit(probe::call_repeated);
    if (outcome.error == command_errc::stale_epoch
        || outcome.error == command_errc::already_decided)
      seen_.hit(probe::decision_came_second);
    if (outcome.error == command_errc::stale_report)
      seen_.hit(probe::stale_report_dropped);
  }
  for (const auto& each : done.changes)
    if (auto vm = std::get_if<vm_record>(&each.record)) {
      check_.tell(index, [&] {
        return "(log) vm " + std::to_string(vm->id.value.low) + " is to be "
               + to_string(vm->requested) + ", is " + to_string(vm->actual) + " under "
               + to_string(vm->epoch) + " on host " + std::to_string(vm->host.value.low) + " "
               + vm->reason;
      });
      note(*vm, index);
    } else if (auto migration = std::get_if<migration_record>(&each.record))
      note(*migration);
    else if (auto host = std::get_if<host_record>(&each.record))
      check_.tell(index, [&] {
        return "(log) host " + std::to_string(host->id.value.low) + " is " + to_string(host->state);
      });
    else if (auto operation = std::get_if<operation_record>(&each.record))
      check_.tell(index, [&] {
        return "(log) operation " + std::to_string(operation->id.value.low) + " to "
               + to_string(operation->verb) + " vm " + std::to_string(operation->vm.value.low)
               + (operation->state == operation_state::running ? " runs " : " has ended ")
               + operation->error;
      });
  return true;
}

void history::note(const vm_record& vm, uint64_t index) {
  auto& known = vms_[vm.id];
  if (!known.empty() && vm.actual == actual_state::starting
      && known.rbegin()->second.epoch < vm.epoch) {
    const auto& before = known.rbegin()->second;
    if (before.actual == actual_state::lost)
      seen_.hit(vm.host == before.host ? probe::lost_vm_started_where_it_was
                                       : probe::lost_vm_placed_elsewhere);
    else if (vm.restarts.count > 0)
      seen_.hit(probe::guest_restarted_by_policy);
  }
  if (vm.epoch < (known.empty() ? epoch{} : known.rbegin()->second.epoch))
    throw check_.broken("the epoch of a vm went back to " + to_string(vm.epoch));
  known[index] = vm;
}

void history::note(const migration_record& migration) {
  migrations_[migration.id] = migration.vm;
  check_.tell(last_, [&] {
    return "(log) migration " + std::to_string(migration.id.value.low) + " of vm "
           + std::to_string(migration.vm.value.low) + " from host "
           + std::to_string(migration.from.value.low) + " to "
           + std::to_string(migration.to.value.low) + " is " + to_string(migration.phase) + " "
           + migration.reason;
  });
  switch (migration.phase) {
  case migration_phase::done:
    seen_.hit(probe::migration_done);
    break;
  case migration_phase::aborted:
    seen_.hit(migration.reason == "the VM was asked to stop" ? probe::stop_during_migration
                                                             : probe::migration_aborted);
    break;
  case migration_phase::returned:
    seen_.hit(probe::migration_returned);
    break;
  default:
    break;
  }
}

void history::accepted(const command_outcome& outcome, uint64_t floor) {
  if (outcome.revision > last_)
    throw check_.broken("a call was answered with a revision that nobody has applied");
  if (!outcome.repeated && outcome.revision <= floor)
    throw check_.broken("a call was answered with revision " + std::to_string(outcome.revision)
                        + ", though one was answered with " + std::to_string(floor)
                        + " before it began");
  check_.trace(41 + outcome.revision);
  answered_ = std::max(answered_, outcome.revision);
}

void history::read(vm_id vm, const vm_record* shown, uint64_t revision, uint64_t floor) {
  if (revision < floor)
    throw check_.broken("a linearizable read shows revision " + std::to_string(revision)
                        + ", though a call was answered with " + std::to_string(floor)
                        + " before it began");
  seen_.hit(probe::linearizable_read);
  auto known = vms_.find(vm);
  if (known == vms_.end()) {
    if (shown)
      throw check_.broken("a read shows a vm that the log never made");
    return;
  }
  auto next = known->second.upper_bound(revision);
  const auto* expected = next == known->second.begin() ? nullptr : &std::prev(next)->second;
  if ((shown == nullptr) != (expected == nullptr)
      || (shown
          && (shown->revision != expected->revision || shown->actual != expected->actual
              || shown->requested != expected->requested || shown->epoch != expected->epoch
              || shown->host != expected->host)))
    throw check_.broken("a read of revision " + std::to_string(revision)
                        + " doesn't show what the log shows there");
}

} // namespace novacron::sim
