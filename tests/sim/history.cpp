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
    if (!asked.key.empty())
      note(asked, outcome);
    if (outcome.repeated && !asked.key.empty())
      seen_.hit(probe::call_repeated);
    if (outcome.error == command_errc::stale_epoch
        || outcome.error == command_errc::already_decided)
      seen_.hit(probe::decision_came_second);
    if (outcome.error == command_errc::stale_report)
      seen_.hit(probe::stale_report_dropped);
  }
  left_no_trace(batch, done);
  hear_of_hosts(batch, done);
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

namespace {

bool same_answer(command_outcome one, const command_outcome& other) {
  one.repeated = other.repeated;
  return one == other;
}

} // namespace

void history::note(const idempotency& asked, const command_outcome& outcome) {
  const auto known = calls_.find(answer_key(asked));
  if (known == calls_.end()) {
    if (outcome.error == command_errc::key_reused)
      throw check_.broken("a call was refused for its key, which nobody had used: " + asked.key);
    if (outcome.ok())
      calls_.emplace(answer_key(asked), call{asked.body_hash, outcome});
    return;
  }
  const auto& first = known->second;
  if (first.body != asked.body_hash) {
    if (outcome.error != command_errc::key_reused)
      throw check_.broken("another call's Idempotency-Key was taken: " + asked.key);
    return;
  }
  if (!outcome.repeated && outcome.revision != first.outcome.revision)
    throw check_.broken("a call was carried out twice under one Idempotency-Key: " + asked.key);
  if (!same_answer(first.outcome, outcome))
    throw check_.broken("a call had another answer the second time: " + asked.key);
}

namespace {

/// What a command would make, if it were carried out.
std::vector<uuid> made_by(const command_body& what) {
  if (auto create = std::get_if<create_vm>(&what))
    return {create->operation.value, create->vm.value};
  if (auto request = std::get_if<request_state>(&what))
    return {request->operation.value};
  if (auto reserve = std::get_if<reserve_migration>(&what))
    return {reserve->operation.value, reserve->migration.value};
  return {};
}

} // namespace

void history::left_no_trace(const command_batch& batch, const applied_batch& done) const {
  struct named {
    std::set<uuid> made;
    std::set<std::string> keys;
  };
  named refused;
  named accepted; // in the same entry, when it was asked again
  for (size_t i = 0; i < batch.commands.size(); ++i) {
    const auto& each = batch.commands[i];
    auto& into = done.outcomes[i].ok() ? accepted : refused;
    for (const auto& id : made_by(each.body))
      into.made.insert(id);
    into.keys.insert(answer_key(each.idempotency));
  }
  // A task's deadline, or the time of a migration that was put off, may come with any entry.
  const bool none = std::ranges::none_of(done.outcomes, &command_outcome::ok)
                    && std::ranges::none_of(done.changes, [](const auto& each) {
                         const auto* migration = std::get_if<migration_record>(&each.record);
                         return std::holds_alternative<task_record>(each.record)
                                || (migration && migration->attempt > 1);
                       });
  for (const auto& each : done.changes) {
    const auto id = id_of(each.record);
    const auto vm = vms_.find(vm_id{id});
    const bool was_there = vm != vms_.end();
    if (refused.made.contains(id) && !accepted.made.contains(id) && !was_there)
      throw check_.broken("a command that was refused made a record");
    // Else only time changes anything: a VM is due to be started again.
    if (none && !(was_there && vm->second.rbegin()->second.restarts.due != log_time{}))
      throw check_.broken("an entry whose commands were all refused changed a record");
  }
  for (const auto& each : done.answers)
    if (const auto key = answer_key(each.asked);
        refused.keys.contains(key) && !accepted.keys.contains(key))
      throw check_.broken("the answer to a refused call is kept");
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
  const auto before = known.empty() ? epoch{} : known.rbegin()->second.epoch;
  auto& newest = newest_[vm.id];
  if (vm.epoch < before || (vm.epoch != before && vm.epoch <= newest && !replaying_))
    throw check_.broken("the epoch of a vm went back to " + to_string(vm.epoch));
  newest = std::max(newest, vm.epoch);
  known[index] = vm;
}

void history::note(const migration_record& migration) {
  migrations_[migration.id] = migration.vm;
  last_moves_[migration.vm] = last_;
  check_.tell(last_, [&] {
    return "(log) migration " + std::to_string(migration.id.value.low) + " of vm "
           + std::to_string(migration.vm.value.low) + " from host "
           + std::to_string(migration.from.value.low) + " to "
           + std::to_string(migration.to.value.low) + " is " + to_string(migration.phase) + " "
           + migration.reason;
  });
  switch (migration.phase) {
  case migration_phase::queued:
    seen_.hit(probe::migration_waited);
    break;
  case migration_phase::reserved:
    if (migration.attempt > 1)
      seen_.hit(probe::migration_tried_again);
    break;
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

void history::answered(const idempotency& asked, const command_outcome& outcome, uint64_t floor) {
  const auto known = calls_.find(answer_key(asked));
  const bool used_before = known != calls_.end() && known->second.body != asked.body_hash;
  if (used_before != (outcome.error == command_errc::key_reused))
    throw check_.broken(used_before ? "another call's key was not refused: " + asked.key
                                    : "a call's own key was refused: " + asked.key);
  if (used_before)
    seen_.hit(probe::key_reused);
  if (!outcome.ok())
    return;
  if (known == calls_.end() || !same_answer(known->second.outcome, outcome))
    throw check_.broken("a call was answered otherwise than the log did: " + asked.key);
  accepted(outcome, floor);
}

const vm_record* history::vm_at(vm_id vm, uint64_t revision) const {
  const auto known = vms_.find(vm);
  if (known == vms_.end())
    return nullptr;
  const auto next = known->second.upper_bound(revision);
  return next == known->second.begin() ? nullptr : &std::prev(next)->second;
}

void history::read(vm_id vm, const vm_record* shown, uint64_t revision, uint64_t floor) {
  if (revision < floor)
    throw check_.broken("a linearizable read shows revision " + std::to_string(revision)
                        + ", though a call was answered with " + std::to_string(floor)
                        + " before it began");
  seen_.hit(probe::linearizable_read);
  const auto* expected = vm_at(vm, revision);
  if ((shown == nullptr) != (expected == nullptr)
      || (shown
          && (shown->revision != expected->revision || shown->actual != expected->actual
              || shown->requested != expected->requested || shown->epoch != expected->epoch
              || shown->host != expected->host)))
    throw check_.broken("a read of revision " + std::to_string(revision)
                        + " doesn't show what the log shows there");
}

void history::looked(vm_id vm, const vm_view& shown, uint64_t min_revision) {
  if (shown.revision < min_revision)
    throw check_.broken("a view of revision " + std::to_string(shown.revision)
                        + " answers one who asked for " + std::to_string(min_revision));
  check_.trace(61 + shown.revision * 31 + shown.vm_revision * 131);
  if (shown.revision < begun_)
    return; // of the log that was lost: it has not heard of the new one
  // Records come before the revision that they belong to; none is held back.
  const auto* expected = vm_at(vm, shown.revision);
  if (shown.vm_revision < (expected ? expected->revision : 0))
    throw check_.broken("a view of revision " + std::to_string(shown.revision)
                        + " doesn't show the vm's change of " + std::to_string(expected->revision));
  const auto* made = vm_at(vm, shown.vm_revision);
  if (shown.vm_revision != 0 && !(made && made->revision == shown.vm_revision))
    throw check_.broken("a view shows a change that the log never made");
}

} // namespace novacron::sim
