// What becomes of a host's VMs and migrations when it is lost, and when it returns.

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// Nothing of it is anywhere, whatever its host does.
bool without_guest(const vm_record& vm) {
  return vm.actual == actual_state::defined || vm.actual == actual_state::failed
         || (vm.actual == actual_state::lost && vm.fenced);
}

std::string why_lost(const host_record& host, bool ended) {
  const auto where = "host " + host.name + " is " + to_string(host.state);
  if (ended)
    return where + "; it will be started on another host";
  return where
         + ", and nobody knows whether the guest runs on; once the host is surely off, say so: "
           "novacron host fenced "
         + host.name;
}

} // namespace

bool batch_applier::knows_lost_hosts() const {
  return batch_.cluster_version >= lost_hosts_since;
}

bool batch_applier::host_lost(node_id id) const {
  auto host = state_.find(id);
  return knows_lost_hosts() && host
         && (host->state == host_state::unreachable || host->state == host_state::fenced);
}

bool batch_applier::fenced_with(const host_record& host, const vm_record& vm) const {
  return host.state == host_state::fenced || (vm.spec.ha() && host.fences);
}

std::vector<vm_id> batch_applier::placed_on(node_id host) const {
  std::vector<vm_id> vms;
  for (const auto& [id, vm] : state_.vms_)
    if (vm.host == host && vm.actual != actual_state::gone)
      vms.push_back(id);
  std::sort(vms.begin(), vms.end()); // the same on every replica
  return vms;
}

void batch_applier::lose_guests(const host_record& host) {
  std::vector<migration_id> migrations;
  for (const auto& [vm, ids] : state_.not_over_)
    for (const auto& id : ids)
      if (const auto& x = state_.migrations_.at(id);
          !x.waits() && (x.from == host.id || x.to == host.id))
        migrations.push_back(id); // those that wait have nothing there yet
  std::sort(migrations.begin(), migrations.end());
  for (const auto& id : migrations)
    lose(*state_.find(id), host);
  for (const auto& id : placed_on(host.id))
    lose(*state_.find(id));
}

/// Before the commit the guest is the source's, and lost with it; after it, the
/// destination's: then the source's paused copy is never resumed, since the
/// destination may have written to the disks.
void batch_applier::lose(const migration_record& migration, const host_record& host) {
  const auto id = migration.id;
  const bool source = migration.from == host.id;
  const auto vm = state_.find(migration.vm);
  const bool ended = vm && fenced_with(host, *vm);
  const auto side = "its " + std::string{source ? "source" : "destination"};
  if (migration.undecided())
    edit(migration, [&](migration_record& x) {
      x.phase = migration_phase::aborted;
      x.reason = "host " + host.name + ", " + side + ", was lost";
      x.may_pass = !source && batch_.cluster_version >= tries_since;
      x.decided = state_.now_;
    });
  if (!ended)
    return; // what is left there is its to clean up, when it returns
  if (!source && migration.phase == migration_phase::committed) {
    edit(migration, [&](migration_record& x) {
      x.phase = migration_phase::finished;
      x.reason = "host " + host.name + ", " + side + ", was lost after the commit";
    });
    end(migration.operation, migration.reason);
  }
  edit(migration,
       [&](migration_record& x) { (source ? x.source_clean : x.destination_clean) = true; });
  settle(id);
}

void batch_applier::lose(const vm_record& vm) {
  using enum actual_state;
  const auto& host = *state_.find(vm.host);
  const bool ended = without_guest(vm) || fenced_with(host, vm);
  auto becomes = [&](actual_state what, std::string why) {
    if (vm.actual == what && vm.reason == why && vm.fenced == (what == lost && ended))
      return;
    edit(vm, [&](vm_record& x) {
      x.actual = what;
      x.reason = std::move(why);
      x.fenced = what == lost && ended;
      x.restarts.due = {};
    });
    end_operation_as_seen(vm);
  };
  if (!ended)
    return becomes(lost, why_lost(host, false));
  switch (vm.requested) {
  case requested_state::running:
    if (vm.actual == failed && vm.restarts.due == log_time{})
      return; // that it is started again was nobody's intention
    return becomes(lost, why_lost(host, true));
  case requested_state::paused:
    if (vm.actual != failed)
      becomes(failed, "host " + host.name + " was lost, and the paused guest's memory with it");
    return;
  case requested_state::stopped:
    return becomes(defined, {});
  case requested_state::deleted:
    return becomes(gone, {});
  }
}

void batch_applier::start_where_they_were(node_id host) {
  if (hosts_are_awaited())
    return;
  for (const auto& id : placed_on(host))
    if (const auto& vm = *state_.find(id); vm.actual == actual_state::lost && vm.fenced)
      edit(vm, [this](vm_record& x) { permit(x); });
}

void batch_applier::start_what_waited_for_hosts() {
  std::vector<node_id> hosts;
  for (const auto& [id, host] : state_.hosts_)
    if (!host_lost(id))
      hosts.push_back(id);
  std::sort(hosts.begin(), hosts.end());
  for (const auto& id : hosts)
    start_where_they_were(id);
  if (!hosts_are_awaited() && knows_inventories())
    permit_anew();
}

/// What was to start when the majority was lost may have done so since, and have had later
/// permissions, which are lost: its next one must be later than those.
void batch_applier::permit_anew() {
  std::vector<vm_id> old;
  for (const auto& [id, vm] : state_.vms_)
    if (vm.actual == actual_state::starting && vm.epoch.timeline < batch_.timeline)
      old.push_back(id);
  std::sort(old.begin(), old.end());
  for (const auto& id : old)
    edit(*state_.find(id), [this](vm_record& x) { permit(x); });
}

void batch_applier::permit(vm_record& vm) const {
  vm.epoch = next_epoch(vm.epoch);
  vm.actual = actual_state::starting;
  vm.reason.clear();
  vm.fenced = false;
  vm.restarts.due = {};
  vm.restarts.running_since = {};
}

void batch_applier::end_guests_of_earlier_boots(const host_record& host) {
  for (const auto& id : placed_on(host.id)) {
    const auto& vm = *state_.find(id);
    if (vm.actual != actual_state::lost || vm.fenced)
      continue;
    if (vm.requested == requested_state::stopped || vm.requested == requested_state::deleted) {
      edit(vm, [](vm_record& x) { x.fenced = true; });
      lose(vm);
      continue;
    }
    edit(vm, [&](vm_record& x) {
      x.actual = actual_state::failed;
      x.reason = "host " + host.name + " was started anew, and the guest had ended with it";
      x.seen_epoch = x.epoch;
    });
    end_operation_as_seen(vm);
  }
}

batch_applier::outcome batch_applier::apply(const fence_host& command) {
  auto host = state_.find(command.host);
  if (!host)
    return refuse(command_errc::unknown_host, "there is no host " + to_string(command.host));
  if (host->state == host_state::fenced) {
    outcome again;
    again.repeated = true;
    return again;
  }
  auto lease = state_.leases_.find(command.host);
  if (lease != state_.leases_.end() && !lease->second.expired)
    return refuse(command_errc::wrong_state,
                  "host " + host->name + " is " + to_string(host->state)
                      + " and holds a lease; only one that is unreachable can be said to be off");
  const bool awaits = hosts_are_awaited();
  edit(*host, [&](host_record& x) {
    x.state = host_state::fenced;
    x.awaited = x.awaited && !knows_inventories();
    x.lost_lease = lease == state_.leases_.end() ? 0 : lease->second.renewal;
  });
  lose_guests(*host);
  if (awaits)
    start_what_waited_for_hosts();
  outcome fenced;
  if (batch_.cluster_version >= evacuations_since && !task_id_taken(command.task)
      && !running_task_of(*host) && !placed_on(host->id).empty() && !too_many_for_a_task(*host)) {
    begin_evacuation(*host, command.task);
    fenced.task = command.task;
  }
  return fenced;
}

batch_applier::outcome batch_applier::apply(const replace_vm& command) {
  auto vm = state_.find(command.vm);
  if (!vm)
    return refuse(command_errc::unknown_vm, "there is no vm " + to_string(command.vm));
  const auto what = "vm " + vm->name + ": ";
  if (command.epoch != vm->epoch)
    return refuse(command_errc::stale_epoch, what + "it is at epoch " + to_string(vm->epoch)
                                                 + ", not " + to_string(command.epoch));
  auto from = state_.find(vm->host);
  if (!host_lost(vm->host) || from->lost_lease != command.lease)
    return refuse(command_errc::stale_lease,
                  what + "its host is not, or not any more, lost with lease "
                      + std::to_string(command.lease));
  if (vm->actual != actual_state::lost || !vm->fenced || vm->requested != requested_state::running)
    return refuse(command_errc::wrong_state, what + "it is " + to_string(vm->actual) + ", wanted "
                                                 + to_string(vm->requested)
                                                 + (vm->fenced ? "" : ", and not fenced"));
  if (!vm->migration.nil())
    return refuse(command_errc::migration_in_progress,
                  what + "migration " + to_string(vm->migration) + " isn't over");
  if (command.to.nil()) {
    const auto why = why_lost(*from, true) + ": " + command.problem;
    if (vm->reason != why)
      edit(*vm, [&](vm_record& x) { x.reason = why; });
    auto stays = accept(*vm, {});
    stays.detail = command.problem;
    return stays;
  }
  auto to = state_.find(command.to);
  if (!to)
    return refuse(command_errc::unknown_host, what + "there is no host " + to_string(command.to));
  if (auto refused = why_not_on(*to, vm->spec, vm->id, nullptr))
    return *refused;
  edit(*vm, [&](vm_record& x) {
    x.host = command.to;
    permit(x);
  });
  return accept(*vm, {});
}

} // namespace novacron
