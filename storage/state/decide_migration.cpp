#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// The decision that a migration has had, as far as its phase shows.
bool decided_so(const migration_record& migration, migration_decision decision) {
  using enum migration_phase;
  switch (decision) {
  case migration_decision::commit:
    return migration.phase == committed || migration.phase == finished || migration.phase == done;
  case migration_decision::abort:
    // An aborted one and a returned one both end rolled back; only the epoch
    // of the VM, not that of the migration, tells them apart. Either way the
    // guest is the source's.
    return migration.phase == aborted || migration.phase == rolled_back;
  case migration_decision::return_guest:
    return migration.phase == returned || migration.phase == rolled_back;
  }
  return false;
}

} // namespace

/// The epoch that it would give may have been given before, by a lost part of the log.
bool batch_applier::began_before_recovery(const migration_record& migration) const {
  return knows_queue() && std::max(migration.epoch.timeline, migration.timeline) < batch_.timeline;
}

batch_applier::outcome batch_applier::apply(const decide_migration& command) {
  auto migration = state_.find(command.migration);
  if (!migration)
    return refuse(command_errc::unknown_migration,
                  "there is no migration " + to_string(command.migration));
  auto answer = [&](outcome x) {
    x.vm = migration->vm;
    x.operation = migration->operation;
    x.migration = migration->id;
    x.phase = migration->waits() ? migration_phase::reserved : migration->phase;
    return x;
  };
  if (command.epoch != migration->epoch)
    return answer(refuse(command_errc::stale_epoch,
                         "migration " + to_string(migration->id) + " moves epoch "
                             + to_string(migration->epoch) + ", not " + to_string(command.epoch)));
  if (decided_so(*migration, command.decision)) {
    auto again = answer({});
    again.repeated = true;
    return again;
  }
  if (migration->waits()) {
    if (command.decision != migration_decision::abort)
      return answer(refuse(command_errc::wrong_state,
                           "migration " + to_string(migration->id) + " has not begun"));
    end_queued(*migration, command.reason);
    return answer({});
  }
  auto decide = [&](migration_phase phase, const std::string& reason) {
    edit(*migration, [&](migration_record& x) {
      x.phase = phase;
      x.reason = reason;
      x.decided = state_.now_;
    });
  };
  auto vm = state_.find(migration->vm);
  if (migration->undecided() && command.decision == migration_decision::commit) {
    if (began_before_recovery(*migration)) {
      decide(migration_phase::aborted, "the cluster was recovered since it began");
      return answer({});
    }
    decide(migration_phase::committed, command.reason);
    if (vm)
      edit(*vm, [&](vm_record& x) {
        x.host = migration->to;
        x.epoch = migration->destination_epoch();
      });
    return answer({});
  }
  if (migration->undecided() && command.decision == migration_decision::abort) {
    edit(*migration, [&](migration_record& x) {
      x.may_pass = command.may_pass && batch_.cluster_version >= tries_since;
    });
    decide(migration_phase::aborted, command.reason);
    return answer({});
  }
  if (migration->phase == migration_phase::committed
      && command.decision == migration_decision::return_guest) {
    decide(migration_phase::returned, command.reason);
    if (vm)
      edit(*vm, [&](vm_record& x) {
        x.host = migration->from;
        x.epoch = knows_queue() ? next_epoch(x.epoch) : x.epoch.next();
        x.restarts.due = {}; // the end that it would answer was another host's guest's
      });
    if (vm && host_lost(migration->from)) {
      lose(*vm);
      settle(migration->id); // its part may have been done by the fencer
    }
    return answer({});
  }
  return answer(refuse(command_errc::already_decided, "migration " + to_string(migration->id)
                                                          + " is " + to_string(migration->phase)));
}

} // namespace novacron
