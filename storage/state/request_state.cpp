#include "storage/state/batch_applier.hpp"

namespace novacron {

batch_applier::outcome batch_applier::apply(const request_state& command) {
  auto vm = state_.find(command.vm);
  if (!vm)
    return refuse(command_errc::unknown_vm, "there is no vm " + to_string(command.vm));
  if (auto before = seen_before(command.operation, command.vm))
    return *before;
  if (vm->actual == actual_state::gone)
    return refuse(command_errc::vm_deleted, "vm " + vm->name + " is deleted");
  if (vm->requested == requested_state::deleted) {
    if (command.requested == requested_state::deleted)
      return accept(*vm, vm->operation);
    return refuse(command_errc::vm_deleted, "vm " + vm->name + " is being deleted");
  }
  if (command.if_revision != 0 && command.if_revision != vm->revision)
    return refuse(command_errc::revision_mismatch,
                  "vm " + vm->name + " is at revision " + std::to_string(vm->revision) + ", not at "
                      + std::to_string(command.if_revision) + "; read it again and decide anew");
  switch (command.requested) {
  case requested_state::running:
    return request_running(*vm, command.operation);
  case requested_state::stopped:
    return request_stopped(*vm, command.operation);
  case requested_state::paused:
    return request_paused(*vm, command.operation);
  case requested_state::deleted:
    return request_deleted(*vm, command.operation);
  }
  return refuse(command_errc::wrong_state, "no such state");
}

batch_applier::outcome batch_applier::request_running(const vm_record& vm, operation_id operation) {
  using enum actual_state;
  const bool wanted = vm.requested == requested_state::running;
  const bool same_guest = vm.seen_epoch == vm.epoch;

  if (wanted && (vm.actual == running || vm.actual == migrating)) {
    begin_ended(operation, operation_verb::start, vm.id);
    return accept(vm, operation);
  }
  if (wanted && vm.actual == starting) {
    if (auto joined = join(vm, operation_verb::start))
      return *joined;
    if (knows_lost_hosts())
      supersede(vm, operation_verb::start); // a resume, whose guest was lost
    begin(operation, operation_verb::start, vm.id);
    edit(vm, [&](vm_record& x) {
      x.restarts = {};
      x.operation = operation;
    });
    return accept(vm, operation);
  }
  // Whether its guest runs on is unknown, or it is started elsewhere already.
  if (vm.actual == lost) {
    if (auto joined = join(vm, operation_verb::start); joined && wanted)
      return *joined;
    supersede(vm, operation_verb::start);
    begin(operation, operation_verb::start, vm.id);
    edit(vm, [&](vm_record& x) {
      x.requested = requested_state::running;
      x.operation = operation;
    });
    return accept(vm, operation);
  }
  // Was asked to pause, and has not: there is nothing to resume.
  if (vm.requested == requested_state::paused && vm.actual == running && same_guest) {
    supersede(vm, operation_verb::resume);
    begin_ended(operation, operation_verb::resume, vm.id);
    edit(vm, [&](vm_record& x) { x.requested = requested_state::running; });
    return accept(vm, operation);
  }
  if (vm.actual == paused && same_guest && vm.requested != requested_state::stopped) {
    if (auto joined = join(vm, operation_verb::resume); joined && wanted)
      return *joined;
    supersede(vm, operation_verb::resume);
    begin(operation, operation_verb::resume, vm.id);
    edit(vm, [&](vm_record& x) {
      x.requested = requested_state::running;
      x.operation = operation;
    });
    return accept(vm, operation);
  }
  supersede(vm, operation_verb::start);
  begin(operation, operation_verb::start, vm.id);
  const bool waits = host_lost(vm.host); // which can't use this permission
  const bool no_guest = vm.actual == defined || vm.actual == failed;
  edit(vm, [&](vm_record& x) {
    x.epoch = next_epoch(x.epoch);
    x.requested = requested_state::running;
    x.actual = waits ? lost : starting;
    x.fenced = waits && no_guest;
    x.reason.clear();
    x.restarts = {};
    x.operation = operation;
  });
  if (waits)
    lose(vm);
  return accept(vm, operation);
}

batch_applier::outcome batch_applier::request_stopped(const vm_record& vm, operation_id operation) {
  using enum actual_state;
  if (vm.requested == requested_state::stopped)
    if (auto joined = join(vm, operation_verb::stop))
      return *joined;
  give_up_migration(vm, "the VM was asked to stop");
  supersede(vm, operation_verb::stop);
  if (vm.actual == defined || vm.actual == failed || (vm.actual == lost && vm.fenced)) {
    begin_ended(operation, operation_verb::stop, vm.id);
    if (vm.requested != requested_state::stopped || vm.actual != defined || !vm.reason.empty())
      edit(vm, [&](vm_record& x) {
        x.requested = requested_state::stopped;
        x.actual = defined;
        x.fenced = false;
        x.reason.clear();
        x.restarts = {};
      });
    return accept(vm, operation);
  }
  begin(operation, operation_verb::stop, vm.id);
  edit(vm, [&](vm_record& x) {
    x.requested = requested_state::stopped;
    if (x.actual != lost)
      x.actual = stopping;
    x.restarts = {};
    x.operation = operation;
  });
  return accept(vm, operation);
}

batch_applier::outcome batch_applier::request_paused(const vm_record& vm, operation_id operation) {
  if (!vm.migration.nil())
    return refuse(command_errc::migration_in_progress,
                  "vm " + vm.name + " is migrating; wait for the end of migration "
                      + to_string(vm.migration));
  if (vm.requested == requested_state::paused) {
    if (auto joined = join(vm, operation_verb::pause))
      return *joined;
    if (vm.actual == actual_state::paused) {
      begin_ended(operation, operation_verb::pause, vm.id);
      return accept(vm, operation);
    }
  }
  if (vm.requested != requested_state::running || vm.actual != actual_state::running)
    return refuse(command_errc::wrong_state, "vm " + vm.name + " is " + to_string(vm.actual)
                                                 + "; only a running one can be paused");
  supersede(vm, operation_verb::pause);
  begin(operation, operation_verb::pause, vm.id);
  edit(vm, [&](vm_record& x) {
    x.requested = requested_state::paused;
    x.operation = operation;
  });
  return accept(vm, operation);
}

batch_applier::outcome batch_applier::request_deleted(const vm_record& vm, operation_id operation) {
  give_up_migration(vm, "the VM was deleted");
  supersede(vm, operation_verb::remove);
  begin(operation, operation_verb::remove, vm.id);
  const bool unheard = host_lost(vm.host);
  edit(vm, [&](vm_record& x) {
    x.requested = requested_state::deleted;
    if (x.actual != actual_state::defined && x.actual != actual_state::failed
        && !(unheard && x.actual == actual_state::lost))
      x.actual = actual_state::stopping;
    x.restarts = {};
    x.operation = operation;
  });
  if (unheard)
    lose(vm);
  return accept(vm, operation);
}

void batch_applier::give_up_migration(const vm_record& vm, const std::string& reason) {
  auto migration = state_.find(vm.migration);
  if (!migration || !migration->undecided())
    return;
  edit(*migration, [&](migration_record& x) {
    x.phase = migration_phase::aborted;
    x.reason = reason;
    x.decided = state_.now_;
  });
}

} // namespace novacron
