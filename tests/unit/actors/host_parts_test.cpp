#include "actors/host/host_lease.hpp"
#include "actors/host/host_table.hpp"
#include "actors/host/report_batch.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id here{{1, 1}};
const node_id elsewhere{{2, 2}};

migration_record reserved(uint64_t revision) {
  migration_record migration;
  migration.id = {{9, 9}};
  migration.vm = {{7, 7}};
  migration.from = here;
  migration.to = elsewhere;
  migration.revision = revision;
  return migration;
}

vm_record placed_here(uint64_t revision) {
  vm_record vm;
  vm.id = {{7, 7}};
  vm.host = here;
  vm.revision = revision;
  return vm;
}

} // namespace

TEST_CASE("the lease's term counts from the sending, not from the answer") {
  host_lease lease{10s, 2s};
  auto attempt = lease.tick(100s);
  REQUIRE(attempt);
  CHECK(lease.granted(*attempt, 42) == 110s); // however late this came
  CHECK(lease.revision() == 42);
}

TEST_CASE("a lease holds only once the fencer has the deadline") {
  host_lease lease{10s, 2s};
  auto deadline = lease.granted(*lease.tick(100s), 42);
  CHECK(!lease.held(101s));
  lease.guarded_until(*deadline);
  CHECK(lease.held(109'999ms));
  CHECK(!lease.held(110s));
}

TEST_CASE("an answer to an earlier attempt extends nothing") {
  host_lease lease{10s, 2s};
  auto first = lease.tick(100s);
  lease.tick(102s);
  CHECK(!lease.granted(*first, 42));
}

TEST_CASE("the last observation of a VM wins, and one report is on its way at a time") {
  report_batch batch;
  batch.add(vm_observation{{{7, 7}}, {0, 1}, actual_state::starting, {}});
  batch.add(vm_observation{{{7, 7}}, {0, 1}, actual_state::running, {}});
  auto report = batch.next(here, {}, 1);
  REQUIRE(report);
  REQUIRE(report->vms.size() == 1);
  CHECK(report->vms[0].actual == actual_state::running);
  batch.add(vm_observation{{{8, 8}}, {0, 1}, actual_state::running, {}});
  CHECK(!batch.next(here, {}, 2));
  batch.ended();
  CHECK(batch.next(here, {}, 3));
}

TEST_CASE("a report never exceeds its bound, and what is beyond comes with the next") {
  report_batch batch;
  for (uint64_t i = 0; i < report_batch::most_observations + 10; ++i)
    batch.add(vm_observation{{{i, 1}}, {0, 1}, actual_state::running, {}});
  CHECK(batch.next(here, {}, 1)->vms.size() == report_batch::most_observations);
  batch.ended();
  CHECK(batch.next(here, {}, 2)->vms.size() == 10);
}

TEST_CASE("a migration is fresh once, and only if it was reserved while we followed") {
  host_table table{here};
  auto sink = table.sink();
  SUBCASE("listed: it was there before us") {
    sink.put(placed_here(1));
    sink.put(reserved(1));
    sink.keep_only({{record_type::vm, {7, 7}}, {record_type::migration, {9, 9}}});
    CHECK(!table.word_for(migration_id{{9, 9}})->fresh);
  }
  SUBCASE("followed") {
    sink.keep_only({});
    sink.put(placed_here(1));
    sink.put(reserved(1));
    CHECK(table.word_for(migration_id{{9, 9}})->fresh);
    CHECK(!table.word_for(migration_id{{9, 9}})->fresh);
  }
}

TEST_CASE("the destination of a migration that was called off needn't know the VM") {
  host_table table{elsewhere};
  auto migration = reserved(5);
  migration.phase = migration_phase::aborted;
  migration.source_clean = true;
  table.sink().put(migration);
  auto word = table.word_for(migration.id);
  REQUIRE(word);
  CHECK(word->vm.id == migration.vm);
  migration.phase = migration_phase::rolled_back;
  table.sink().put(migration);
  CHECK(table.word_for(migration.id)); // or its actor would never end

  migration.phase = migration_phase::committed;
  migration.revision = 6;
  table.sink().put(migration);
  CHECK(!table.word_for(migration.id));
}

TEST_CASE("a VM's word carries its migration until that is over") {
  host_table table{here};
  auto sink = table.sink();
  auto vm = placed_here(1);
  vm.migration = {{9, 9}};
  auto migration = reserved(1);
  sink.put(vm);
  sink.put(migration);
  CHECK(table.word_for(vm.id)->migration);
  migration.phase = migration_phase::done;
  migration.revision = 2;
  sink.put(migration);
  CHECK(!table.word_for(vm.id)->migration);
}

TEST_CASE("that a guest switched itself off is remembered for its epoch, and for no later guest") {
  host_table table{here};
  auto sink = table.sink();
  auto vm = placed_here(1);
  table.powers_off(vm.id);
  CHECK(!table.powered_off(vm.id)); // of a VM that we don't know
  sink.put(vm);
  CHECK(!table.powered_off(vm.id));
  table.powers_off(vm.id);
  CHECK(table.powered_off(vm.id));
  vm.revision = 2;
  vm.actual = actual_state::failed;
  sink.put(vm);
  CHECK(table.powered_off(vm.id));
  vm.revision = 3;
  vm.epoch = vm.epoch.next();
  sink.put(vm);
  CHECK(!table.powered_off(vm.id));
}

TEST_CASE("an older record never replaces a newer one") {
  host_table table{here};
  auto sink = table.sink();
  auto vm = placed_here(5);
  vm.requested = requested_state::running;
  sink.put(vm);
  sink.put(placed_here(4));
  CHECK(table.find(vm.id)->requested == requested_state::running);
}

TEST_CASE("what a complete listing doesn't name is forgotten, and its actor told") {
  host_table table{here};
  auto sink = table.sink();
  sink.put(placed_here(5));
  table.take_changed_vms();
  sink.keep_only({});
  CHECK(!table.find(vm_id{{7, 7}}));
  CHECK(table.take_changed_vms().size() == 1);
}
