// Migrations that wait for their turn: what comes with every batch.

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

bool batch_applier::knows_queue() const {
  return batch_.cluster_version >= admission_since;
}

std::vector<needed_line> batch_applier::lines_of(const migration_record& migration) const {
  const auto* from = state_.find(migration.from);
  const auto* to = state_.find(migration.to);
  return from && to ? lines_between(*from, *to) : std::vector<needed_line>{};
}

migration_slots batch_applier::slots_under_way() const {
  migration_slots slots;
  for (const auto& id : state_.under_way_)
    slots.take(lines_of(*state_.find(id)));
  return slots;
}

/// Whoever waits for long already comes first; `advance_queue` sees to that at the batch's end.
bool batch_applier::may_begin_at_once(const migration_record& migration) const {
  if (!knows_queue())
    return true;
  const bool patient = std::ranges::any_of(state_.queue_, [&](const queue_place& each) {
    return each.id != migration.id && !put_off(*state_.find(each.id))
           && state_.now_ - each.since >= patience_in_queue;
  });
  return !patient && slots_under_way().free(lines_of(migration));
}

void batch_applier::advance_queue() {
  const bool changed = std::ranges::any_of(touched_, [](const record_name& each) {
    return each.first == record_type::vm || each.first == record_type::host
           || each.first == record_type::migration;
  });
  if (state_.queue_.empty() || !(changed || one_came_due()) || hosts_are_awaited())
    return;
  auto slots = slots_under_way();
  const std::vector<queue_place> in_order{state_.queue_.begin(), state_.queue_.end()};
  for (const auto& each : in_order) {
    const auto& migration = *state_.find(each.id);
    if (auto why = why_not_ever(migration); !why.empty()) {
      end_queued(migration, why);
      continue;
    }
    if (put_off(migration) || last_one_lingers(migration))
      continue;
    const auto lines = lines_of(migration);
    const bool begins = slots.free(lines);
    if (begins) {
      const auto& vm = *state_.find(migration.vm);
      if (auto why = why_not_on(*state_.find(migration.to), vm.spec, vm.id, state_.find(vm.host))) {
        end_queued(migration, why->detail);
        continue;
      }
      begin_migration(migration);
    }
    // Overtaking would let one that needs two busy hosts wait for ever.
    if (begins || state_.now_ - each.since >= patience_in_queue)
      slots.take(lines);
  }
}

std::string batch_applier::why_not_ever(const migration_record& migration) const {
  const auto* vm = state_.find(migration.vm);
  if (!vm || vm->actual == actual_state::gone || vm->requested == requested_state::deleted)
    return "the vm was deleted";
  const bool runs = vm->actual == actual_state::running;
  if (vm->requested != requested_state::running || !(runs || put_off(migration)))
    return "the vm is " + to_string(vm->actual) + ", wanted " + to_string(vm->requested);
  if (vm->host != migration.from || vm->epoch != migration.epoch)
    return "the guest was started anew";
  const auto* to = state_.find(migration.to);
  if (!to || (to->state != host_state::up && !put_off(migration)))
    return to ? "host " + to->name + ", its destination, is " + to_string(to->state)
              : "its destination is gone";
  return {};
}

void batch_applier::begin_migration(const migration_record& migration) {
  edit(migration, [&](migration_record& x) {
    x.phase = migration_phase::reserved;
    if (knows_queue()) {
      x.begun = state_.now_;
      x.timeline = batch_.timeline;
    }
  });
  edit(*state_.find(migration.vm), [&](vm_record& x) {
    x.migration = migration.id;
    x.actual = actual_state::migrating;
    x.operation = migration.operation;
  });
}

bool batch_applier::one_came_due() const {
  constexpr migration_id last{{~uint64_t{0}, ~uint64_t{0}}};
  const auto next = state_.put_off_.upper_bound({before_, last});
  return next != state_.put_off_.end() && next->first <= state_.now_;
}

bool batch_applier::last_one_lingers(const migration_record& migration) const {
  return state_.not_over_.at(migration.vm).size() > 1;
}

bool batch_applier::try_again(const migration_record& migration) {
  const auto next = next_try(migration.id);
  if (state_.find(next))
    return true;
  const auto* vm = state_.find(migration.vm);
  if (migration.phase != migration_phase::aborted || !migration.may_pass
      || migration.attempt >= migration.terms.tries
      || state_.queue_.size() >= most_queued_migrations || !vm
      || vm->requested != requested_state::running || vm->host != migration.from
      || vm->epoch != migration.epoch)
    return false;
  migration_record again;
  again.id = next;
  again.vm = migration.vm;
  again.from = migration.from;
  again.to = migration.to;
  again.epoch = migration.epoch;
  again.operation = migration.operation;
  again.terms = migration.terms;
  again.phase = migration_phase::queued;
  again.attempt = migration.attempt + 1;
  again.created = state_.now_;
  again.not_before = state_.now_ + put_off_for(again.attempt);
  again.reason = "the last try ended so: " + migration.reason;
  add(std::move(again));
  if (running(migration.operation))
    edit(*state_.find(migration.operation), [&](operation_record& x) { x.migration = next; });
  return true;
}

void batch_applier::end_queued(const migration_record& migration, const std::string& why) {
  const auto before = migration.attempt > 1 ? migration.reason + "; and now: " : std::string{};
  edit(migration, [&](migration_record& x) {
    x.phase = migration_phase::rolled_back;
    x.reason = before + why;
    x.source_clean = x.destination_clean = true;
    x.decided = x.ended = state_.now_;
  });
  end(migration.operation, (before.empty() ? "it never began: " : before) + why);
}

void batch_applier::end_queued_of(const task_record& task, const std::string& why) {
  for (const auto& move : task.moves) {
    const auto* queued = state_.queued_of(move.vm);
    const bool ordered = queued && queued->id == move.migration && queued->operation.nil();
    if (ordered)
      end_queued(*queued, why);
  }
}

} // namespace novacron
