#include "random_commands.hpp"
#include "storage/state/restart_policy.hpp"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <map>

using namespace novacron;

namespace {

using table = std::map<std::pair<record_type, uuid>, any_record>;

std::pair<record_type, uuid> name_of(const any_record& x) {
  return {type_of(x), id_of(x)};
}

/// Without what a report notes silently, which the feed doesn't carry.
any_record as_fed(any_record x) {
  if (auto vm = std::get_if<vm_record>(&x)) {
    vm->seen_boot = {};
    vm->seen_sequence = 0;
  }
  return x;
}

table as_fed(const cluster_state& state) {
  table all;
  for (const auto& each : state.records())
    all.emplace(name_of(each), as_fed(each));
  return all;
}

/// What must hold between any two batches.
struct invariants {
  std::map<vm_id, vm_record> before;
  std::map<operation_id, operation_record> ended;

  void check(const cluster_state& state, const command_batch& batch, const applied_batch& done) {
    std::map<std::string, vm_id> names;
    std::map<vm_id, int> unfinished;
    std::map<node_id, host_load> load;
    std::map<vm_id, vm_record> now;
    const auto records = state.records();
    for (const auto& each : records) {
      if (auto vm = std::get_if<vm_record>(&each)) {
        now.emplace(vm->id, *vm);
        if (vm->actual == actual_state::gone)
          continue;
        CHECK_MESSAGE(names.emplace(vm->name, vm->id).second, "two VMs are called " << vm->name);
        load[vm->host].memory_mib += vm->spec.memory_mib;
        load[vm->host].vcpus += vm->spec.vcpus;
        auto operation = state.find(vm->operation);
        CHECK((vm->operation.nil()
               || (operation && operation->state == operation_state::running
                   && operation->vm == vm->id)));
        auto migration = state.find(vm->migration);
        CHECK((vm->migration.nil() || (migration && !migration->over())));
        if (vm->restarts.due != log_time{})
          CHECK_MESSAGE((vm->requested == requested_state::running
                         && vm->actual == actual_state::failed && vm->seen_epoch == vm->epoch
                         && vm->spec.ha()),
                        "a VM waits for a restart that nobody wants");
        CHECK(vm->restarts.ends.size() <= too_many_ends);
        if (vm->fenced) {
          auto host = state.find(vm->host);
          CHECK_MESSAGE((vm->actual == actual_state::lost
                         && vm->requested == requested_state::running && host
                         && host->state != host_state::up),
                        "a VM may start elsewhere that isn't lost");
        }
      } else if (auto migration = std::get_if<migration_record>(&each)) {
        if (migration->undecided() || migration->phase == migration_phase::committed
            || migration->phase == migration_phase::finished)
          CHECK_MESSAGE(++unfinished[migration->vm] == 1, "two migrations of one VM");
        auto moved = state.find(migration->vm);
        if (moved && moved->actual != actual_state::gone && !migration->over()) {
          auto& room = load[holds_room_on(*migration)];
          room.memory_mib += moved->spec.memory_mib;
          room.vcpus += moved->spec.vcpus;
        }
      }
    }
    for (const auto& each : records) {
      if (auto host = std::get_if<host_record>(&each)) {
        CHECK(load[host->id].memory_mib <= memory_capacity_mib(*host));
        CHECK(load[host->id].vcpus <= vcpu_capacity(*host));
        CHECK(state.load_of(host->id) == load[host->id]);
      } else if (auto operation = std::get_if<operation_record>(&each)) {
        if (auto known = ended.find(operation->id); known != ended.end())
          CHECK_MESSAGE(known->second == *operation, "an operation ended twice");
        else if (operation->state != operation_state::running)
          ended.emplace(operation->id, *operation);
      }
    }
    for (const auto& [id, vm] : now) {
      auto old = before.find(id);
      if (old == before.end())
        continue;
      CHECK(vm.epoch >= old->second.epoch);
      const auto guestless = [](const vm_record& x) {
        return x.actual == actual_state::defined || x.actual == actual_state::failed;
      };
      // It may have ended, and the VM been moved, in one batch.
      const bool cold = guestless(old->second) || guestless(vm);
      if (vm.host != old->second.host)
        CHECK_MESSAGE((has<decide_migration>(batch) || has<replace_vm>(batch)
                       || ((has<move_vm>(batch) || has<reserve_migration>(batch)) && cold)),
                      "a VM moved without a decision");
      // A guest that may run gets a new permission wherever it goes.
      if (vm.host != old->second.host)
        CHECK(vm.epoch > old->second.epoch);
      if ((old->second.actual == actual_state::failed || old->second.actual == actual_state::lost)
          && vm.actual == actual_state::starting)
        CHECK(vm.epoch > old->second.epoch);
      // Only one that is proved to have ended is replaced; a destination may give back
      // what it never ran.
      if (vm.host != old->second.host && old->second.actual == actual_state::lost
          && !has<decide_migration>(batch))
        CHECK(old->second.fenced);
    }
    before = now;
    check_tasks(state, done);
    CHECK(done.outcomes.size() == batch.commands.size());
    CHECK(done.audience.size() == done.changes.size());
  }

  template <class Command>
  static bool has(const command_batch& batch) {
    return std::ranges::any_of(batch.commands, [](const command& each) {
      return std::holds_alternative<Command>(each.body);
    });
  }

  /// A drain knows all VMs of its host, and says that it has finished only of an
  /// empty one. An evacuation knows them, too, and runs only while its host is off.
  void check_tasks(const cluster_state& state, const applied_batch& done) {
    for (const auto& each : state.records()) {
      auto vm = std::get_if<vm_record>(&each);
      auto host = vm ? state.find(vm->host) : nullptr;
      auto task = host ? state.find(host->drain) : nullptr;
      if (!task || task->state != task_state::running || vm->actual == actual_state::gone)
        continue;
      const bool evacuates = task->kind == task_kind::evacuation;
      CHECK((evacuates ? host->state == host_state::fenced
                       : host->maintenance == host_state::draining));
      auto part = std::find_if(task->moves.begin(), task->moves.end(),
                               [&](const auto& x) { return x.vm == vm->id; });
      REQUIRE_MESSAGE(part != task->moves.end(), "a task doesn't know a VM of its host");
      CHECK(part->state != move_state::finished);
      CHECK((!evacuates || part->state == move_state::waiting));
    }
    for (const auto& each : done.changes) {
      auto task = std::get_if<task_record>(&each.record);
      if (!task || each.removed)
        continue;
      ++tasks[task->state];
      evacuated += task->kind == task_kind::evacuation && task->state == task_state::finished;
      if (task->kind == task_kind::drain && task->state == task_state::finished)
        CHECK(state.load_of(task->host).memory_mib == reserved_on(state, task->host));
    }
  }

  /// Of migrations that were rolled back before and hold a copy there still.
  static uint64_t reserved_on(const cluster_state& state, node_id host) {
    uint64_t memory = 0;
    for (const auto& each : state.records())
      if (auto migration = std::get_if<migration_record>(&each)) {
        auto vm = state.find(migration->vm);
        if (vm && vm->actual != actual_state::gone && holds_room_on(*migration) == host)
          memory += vm->spec.memory_mib;
      }
    return memory;
  }

  uint64_t evacuated = 0;               ///< hosts, or as much of them as was left
  std::map<task_state, uint64_t> tasks; ///< how many changes showed each
};

void replay(table& fed, const applied_batch& done, uint64_t revision) {
  for (const auto& each : done.changes) {
    CHECK(each.revision == revision);
    std::visit([&](const auto& x) { CHECK(x.revision == revision); }, each.record);
    if (each.removed)
      fed.erase(name_of(each.record));
    else
      fed.insert_or_assign(name_of(each.record), as_fed(each.record));
  }
}

/// A second state with all that the first one wrote, as after a restart.
struct written {
  std::map<std::pair<record_type, uuid>, any_record> records;
  std::map<node_id, lease_record> leases;
  std::map<std::string, stored_answer> answers;

  void write(const applied_batch& done) {
    for (const auto& each : done.changes) {
      if (each.removed)
        records.erase(name_of(each.record));
      else
        records.insert_or_assign(name_of(each.record), each.record);
    }
    for (const auto& vm : done.noted)
      records.insert_or_assign({record_type::vm, vm.id.value}, vm);
    for (const auto& lease : done.leases)
      leases.insert_or_assign(lease.host, lease);
    for (const auto& answer : done.answers)
      answers.insert_or_assign(answer_key(answer.asked), answer);
    for (const auto& key : done.expired_answers)
      answers.erase(key);
  }

  cluster_state load(retention kept, uint64_t revision, log_time now) const {
    cluster_state state{kept};
    for (const auto& [name, record] : records)
      state.load(record);
    for (const auto& [host, lease] : leases)
      state.load(lease);
    for (const auto& [key, answer] : answers)
      state.load(answer);
    state.loaded(revision, now);
    return state;
  }
};

uint64_t first_seed() {
  auto seed = std::getenv("NOVACRON_SEED");
  return seed ? std::strtoull(seed, nullptr, 10) : 1;
}

} // namespace

TEST_CASE("random commands keep the invariants, and a replica that restarts stays equal") {
  const auto seeds = std::getenv("NOVACRON_SEED") ? 1u : 40u;
  std::map<command_errc, uint64_t> outcomes;
  std::map<migration_phase, uint64_t> phases;
  uint64_t restarted = 0;
  uint64_t replaced = 0;
  uint64_t lost = 0;
  uint64_t evacuated = 0;
  std::map<task_state, uint64_t> tasks;
  for (auto seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    CAPTURE(seed);
    INFO("again with: NOVACRON_SEED=" << seed << " unit_storage -tc='random commands*'");
    retention kept;
    kept.max_ended = 8;
    kept.max_answers = 20;
    random_commands commands{seed};
    cluster_state state{kept};
    cluster_state other{kept}; // restarts now and then
    invariants always;
    table fed;
    written disk;
    for (uint64_t revision = 1; revision <= 900; ++revision) {
      auto batch = commands.batch(state);
      auto done = state.apply(batch, revision);
      REQUIRE(other.apply(batch, revision) == done);
      always.check(state, batch, done);
      replay(fed, done, revision);
      disk.write(done);
      for (const auto& outcome : done.outcomes)
        ++outcomes[outcome.error];
      for (const auto& each : done.changes)
        if (auto migration = std::get_if<migration_record>(&each.record))
          ++phases[migration->phase];
        else if (auto vm = std::get_if<vm_record>(&each.record)) {
          restarted += vm->actual == actual_state::starting && vm->restarts.count > 0;
          lost += vm->actual == actual_state::lost;
        }
      for (size_t i = 0; i < batch.commands.size(); ++i)
        replaced += std::holds_alternative<replace_vm>(batch.commands[i].body)
                    && done.outcomes[i].ok() && done.outcomes[i].detail.empty();
      if (commands.below(30) == 0)
        other = disk.load(kept, revision, state.now());
    }
    evacuated += always.evacuated;
    for (const auto& [how, count] : always.tasks)
      tasks[how] += count;
    REQUIRE(fed == as_fed(state));
    REQUIRE(other.records() == state.records());
  }
  // The rare paths were walked.
  if (seeds > 1) {
    CHECK_MESSAGE(restarted > 20, "restarts: " << restarted);
    CHECK_MESSAGE(lost > 100, "lost: " << lost);
    CHECK_MESSAGE(replaced > 20, "placed elsewhere: " << replaced);
    CHECK_MESSAGE(evacuated > 20, "evacuations: " << evacuated);
    for (auto phase :
         {migration_phase::reserved, migration_phase::committed, migration_phase::aborted,
          migration_phase::finished, migration_phase::returned, migration_phase::done,
          migration_phase::rolled_back})
      CHECK_MESSAGE(phases[phase] > 5, to_string(phase) << ": " << phases[phase]);
    for (auto how :
         {task_state::running, task_state::finished, task_state::failed, task_state::cancelled})
      CHECK_MESSAGE(tasks[how] > 10, to_string(how) << ": " << tasks[how]);
    for (auto refusal :
         {command_errc::none, command_errc::unknown_vm, command_errc::unknown_host,
          command_errc::name_taken, command_errc::vm_deleted, command_errc::wrong_state,
          command_errc::no_capacity, command_errc::same_host, command_errc::migration_in_progress,
          command_errc::already_decided, command_errc::key_reused, command_errc::revision_mismatch,
          command_errc::other_disk, command_errc::bad_token})
      CHECK_MESSAGE(outcomes[refusal] > 20, to_string(refusal) << ": " << outcomes[refusal]);
  }
}
