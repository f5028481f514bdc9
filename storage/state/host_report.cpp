#include "storage/state/batch_applier.hpp"
#include "storage/state/restart_policy.hpp"

namespace novacron {

namespace {

/// The first `command_batch::cluster_version` under which a destination's cost counts.
constexpr uint32_t destination_costs_since = 3;

constexpr const char* ended_by_itself = "the guest ended by itself";

/// What is stored for an observation: what the host saw, in the light of what
/// was asked for. Nothing: it isn't the host's to say.
std::optional<std::pair<actual_state, std::string>> meaning(const vm_record& vm,
                                                            const vm_observation& seen) {
  using enum actual_state;
  const bool wants_guest
      = vm.requested == requested_state::running || vm.requested == requested_state::paused;
  switch (seen.actual) {
  case starting: // a permission that nobody has used yet, which only the log gives
  case migrating:
  case lost:
    return {};
  case defined:
  case gone:
    if (seen.actual == gone && vm.requested == requested_state::deleted)
      return {{gone, seen.reason}};
    if (wants_guest)
      return {{failed, seen.reason.empty() ? ended_by_itself : seen.reason}};
    return {{defined, {}}};
  case failed:
    if (vm.requested == requested_state::stopped)
      return {{defined, {}}};
    return {{failed, seen.reason}};
  case running:
  case paused:
  case stopping:
    if (!wants_guest)
      return {{stopping, seen.reason}};
    return {{seen.actual, seen.reason}};
  }
  return {};
}

bool ended(actual_state actual) {
  return actual == actual_state::failed || actual == actual_state::defined
         || actual == actual_state::gone;
}

} // namespace

batch_applier::outcome batch_applier::apply(const host_report& report) {
  auto host = state_.find(report.host);
  if (!host)
    return refuse(command_errc::unknown_host,
                  "there is no host " + to_string(report.host) + "; register it first");
  if (report.boot != host->boot)
    return refuse(command_errc::stale_report, "host " + host->name + " is at boot "
                                                  + to_string(host->boot) + ", the report from "
                                                  + to_string(report.boot));
  if (host_lost(report.host))
    return refuse(command_errc::stale_report, "host " + host->name + " is " + to_string(host->state)
                                                  + "; it must hold a lease before it reports");
  for (const auto& seen : report.vms)
    see(report, seen);
  for (const auto& seen : report.migrations)
    see(report, seen);
  return {};
}

void batch_applier::see(const host_report& report, const vm_observation& seen) {
  auto vm = state_.find(seen.vm);
  if (!vm || vm->actual == actual_state::gone)
    return;
  if (report.host != vm->host || seen.epoch != vm->epoch)
    return;
  if (report.boot == vm->seen_boot && report.sequence <= vm->seen_sequence)
    return;
  auto what = meaning(*vm, seen);
  if (!what)
    return;
  const auto& [actual, reason] = *what;
  auto migration = state_.find(vm->migration);
  if (migration && migration->undecided()) {
    if (!ended(actual))
      return; // it stays `migrating` until the decision
    edit(*migration, [&](migration_record& x) {
      x.phase = migration_phase::aborted;
      x.reason = "the guest ended during the migration";
      x.decided = state_.now_;
    });
  }
  auto note = [&](vm_record& x) {
    x.seen_boot = report.boot;
    x.seen_sequence = report.sequence;
  };
  const bool restarts = batch_.cluster_version >= restart_policies_since;
  const bool known = vm->actual == actual && vm->seen_epoch == seen.epoch
                     && (vm->reason == reason || (restarts && actual == actual_state::failed));
  if (known) {
    note(state_.vms_.at(vm->id));
    noted_.insert(vm->id);
  } else {
    edit(*vm, [&](vm_record& x) {
      note(x);
      x.actual = actual;
      x.reason = reason;
      x.seen_epoch = seen.epoch;
      if (restarts)
        apply_restart_policy(x, seen.actual != actual_state::failed, state_.now_);
    });
  }
  end_operation_as_seen(*vm);
  finish_if_it_runs(*vm);
}

void batch_applier::end_operation_as_seen(const vm_record& vm) {
  auto operation = state_.find(vm.operation);
  if (!operation)
    return;
  const auto actual = vm.actual;
  auto why = vm.reason.empty() ? std::string{ended_by_itself} : vm.reason;
  if (vm.restarts.due != log_time{})
    why += "; it will be started again, as its restart policy says";
  switch (operation->verb) {
  case operation_verb::start:
  case operation_verb::resume:
    if (actual == actual_state::running)
      end(operation->id, {});
    else if (ended(actual))
      end(operation->id, why);
    break;
  case operation_verb::pause:
    if (actual == actual_state::paused)
      end(operation->id, {});
    else if (ended(actual))
      end(operation->id, why);
    break;
  case operation_verb::stop:
    if (ended(actual))
      end(operation->id, {});
    break;
  case operation_verb::remove:
    if (actual == actual_state::gone)
      end(operation->id, {});
    break;
  case operation_verb::create:
  case operation_verb::migrate:
    break;
  }
}

void batch_applier::finish_if_it_runs(const vm_record& vm) {
  auto migration = state_.find(vm.migration);
  if (!migration || migration->phase != migration_phase::committed
      || vm.requested != requested_state::running || vm.actual != actual_state::running)
    return;
  edit(*migration, [](migration_record& x) {
    x.phase = migration_phase::finished;
    x.destination_clean = true;
  });
  settle(vm.migration);
}

void batch_applier::see(const host_report& report, const migration_observation& seen) {
  auto migration = state_.find(seen.migration);
  if (!migration || migration->over() || migration->undecided() || migration->waits())
    return;
  const bool source = report.host == migration->from;
  const bool destination = report.host == migration->to;
  auto cost = seen.cost;
  if (batch_.cluster_version < page_work_since)
    cost.work = {};
  // What the destination measured stands in for a source that died before it could say.
  const bool new_cost = cost.guest_bytes > 0
                        && (source ? cost != migration->cost
                                   : destination && migration->cost.guest_bytes == 0
                                         && batch_.cluster_version >= destination_costs_since);
  const bool cleaned
      = seen.clean
        && ((source && !migration->source_clean) || (destination && !migration->destination_clean));
  if (!new_cost && !cleaned)
    return;
  edit(*migration, [&](migration_record& x) {
    if (new_cost)
      x.cost = cost;
    if (source && seen.clean)
      x.source_clean = true;
    if (destination && seen.clean) {
      x.destination_clean = true;
      if (x.phase == migration_phase::committed)
        x.phase = migration_phase::finished;
    }
  });
  settle(seen.migration);
}

void batch_applier::settle(migration_id id) {
  const auto& migration = *state_.find(id);
  if (!migration.source_clean || migration.over())
    return;
  auto forget = [&] {
    auto vm = state_.find(migration.vm);
    if (vm && vm->migration == id)
      edit(*vm, [](vm_record& x) { x.migration = {}; });
  };
  if (migration.phase == migration_phase::finished) {
    edit(migration, [&](migration_record& x) {
      x.phase = migration_phase::done;
      x.ended = state_.now_;
      if (x.cost.duration.count() == 0)
        x.cost.duration = state_.now_ - (x.begun == log_time{} ? x.created : x.begun);
    });
    forget();
    end(migration.operation, {});
  } else if (migration.phase == migration_phase::aborted
             || migration.phase == migration_phase::returned) {
    forget();
    if (!try_again(migration))
      end(migration.operation, "rolled back: " + migration.reason);
    if (migration.destination_clean)
      edit(migration, [&](migration_record& x) {
        x.phase = migration_phase::rolled_back;
        x.ended = state_.now_;
      });
  }
}

} // namespace novacron
