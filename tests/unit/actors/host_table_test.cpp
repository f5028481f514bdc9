#include "actors/host/host_table.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;

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

host_record named(node_id id, const char* name) {
  host_record host;
  host.id = id;
  host.name = name;
  host.revision = 1;
  return host;
}

} // namespace

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

TEST_CASE("a migration is fresh only while nothing can have been done for it") {
  host_table table{here};
  auto sink = table.sink();
  SUBCASE("decided when it is first seen") {
    sink.keep_only({});
    sink.put(placed_here(1));
    auto migration = reserved(2);
    migration.phase = migration_phase::committed;
    sink.put(migration);
  }
  SUBCASE("listed, and changed since") {
    sink.put(placed_here(1));
    sink.put(reserved(1));
    sink.keep_only({{record_type::vm, {7, 7}}, {record_type::migration, {9, 9}}});
    sink.put(reserved(2));
  }
  CHECK(!table.word_for(migration_id{{9, 9}})->fresh);
}

TEST_CASE("a migration's change is told to its actor and to its VM's, once") {
  host_table table{here};
  table.sink().put(reserved(1));
  CHECK(table.take_changed_migrations() == std::vector{migration_id{{9, 9}}});
  CHECK(table.take_changed_vms() == std::vector{vm_id{{7, 7}}});
  table.sink().put(reserved(1)); // a repeat
  CHECK(table.take_changed_migrations().empty());
  CHECK(table.take_changed_vms().empty());
}

TEST_CASE("what the feed removes is forgotten, and a VM's actor is told") {
  host_table table{here};
  auto sink = table.sink();
  sink.put(placed_here(1));
  sink.put(reserved(1));
  sink.put(named(elsewhere, "node-2"));
  table.take_changed_vms();
  sink.remove(placed_here(1));
  sink.remove(reserved(1));
  sink.remove(named(elsewhere, "node-2"));
  CHECK(!table.find(vm_id{{7, 7}}));
  CHECK(!table.find(migration_id{{9, 9}}));
  CHECK(!table.find(elsewhere));
  CHECK(table.take_changed_vms() == std::vector{vm_id{{7, 7}}});
}

TEST_CASE("migrations and hosts that a complete listing doesn't name are forgotten") {
  host_table table{here};
  auto sink = table.sink();
  sink.put(reserved(1));
  sink.put(named(elsewhere, "node-2"));
  sink.keep_only({});
  CHECK(!table.find(migration_id{{9, 9}}));
  CHECK(!table.find(elsewhere));
}

TEST_CASE("only the destination is told of a migration whose VM it doesn't know") {
  host_table table{here};
  auto migration = reserved(1);
  migration.phase = migration_phase::aborted;
  table.sink().put(migration);
  CHECK(!table.word_for(migration.id)); // we are its source
  std::swap(migration.from, migration.to);
  migration.phase = migration_phase::returned;
  migration.revision = 2;
  table.sink().put(migration);
  CHECK(table.word_for(migration.id));
}

TEST_CASE("a migration's word names the other host, on both sides") {
  for (auto self : {here, elsewhere}) {
    host_table table{self};
    auto sink = table.sink();
    sink.put(placed_here(1));
    sink.put(reserved(1));
    sink.put(named(here, "node-1"));
    sink.put(named(elsewhere, "node-2"));
    auto word = table.word_for(migration_id{{9, 9}});
    REQUIRE(word);
    REQUIRE(word->peer);
    CHECK(word->peer->id != self);
  }
}

TEST_CASE("VMs that are placed here and not gone have an actor") {
  host_table table{here};
  auto vm = placed_here(1);
  CHECK(table.needs_actor(vm));
  vm.actual = actual_state::gone;
  CHECK(!table.needs_actor(vm));
  vm.actual = actual_state::running;
  vm.host = elsewhere;
  CHECK(!table.needs_actor(vm));
}

TEST_CASE("a migration has an actor until this host's part is done") {
  host_table source{here};
  host_table destination{elsewhere};
  host_table third{{{3, 3}}};
  auto migration = reserved(1);
  CHECK(source.needs_actor(migration));
  CHECK(destination.needs_actor(migration));
  CHECK(!third.needs_actor(migration));
  migration.source_clean = true;
  CHECK(!source.needs_actor(migration));
  CHECK(destination.needs_actor(migration));
  migration.source_clean = false;
  migration.destination_clean = true;
  CHECK(!destination.needs_actor(migration));
  CHECK(source.needs_actor(migration));
  migration.phase = migration_phase::done;
  CHECK(!source.needs_actor(migration));
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

TEST_CASE("a guest belongs here under the VM's epoch, or while it moves from or to here") {
  host_table table{here};
  auto sink = table.sink();
  const vm_id vm{{7, 7}};
  CHECK(!table.belongs_here(vm, {1, 1})); // nobody knows it
  auto record = placed_here(1);
  record.epoch = {1, 5};
  sink.put(record);
  CHECK(table.belongs_here(vm, {1, 5}));
  CHECK(!table.belongs_here(vm, {1, 4})); // of an older permission
  record.host = elsewhere;
  record.revision = 2;
  sink.put(record);
  CHECK(!table.belongs_here(vm, {1, 5})); // placed elsewhere
  auto move = reserved(3);
  record.migration = move.id;
  record.revision = 3;
  sink.put(record);
  sink.put(move);
  CHECK(table.belongs_here(vm, {1, 4}));
  move.phase = migration_phase::done;
  move.revision = 4;
  sink.put(move);
  CHECK(!table.belongs_here(vm, {1, 4}));
}

TEST_CASE("a migration that is over is told to whoever lists again and has lost its VM") {
  host_table table{here};
  auto sink = table.sink();
  sink.put(placed_here(1));
  sink.put(reserved(1));
  auto over = reserved(5);
  over.phase = migration_phase::done;
  sink.put(over);
  sink.keep_only({{record_type::migration, {9, 9}}}); // its VM is the destination's
  auto word = table.word_for(over.id);
  REQUIRE(word); // or its actor would report for ever
  CHECK(word->migration.phase == migration_phase::done);
  CHECK(word->vm.id == over.vm);
}

TEST_CASE("a VM that has left is none of this host's any more, its console can go") {
  host_table table{here};
  auto sink = table.sink();
  auto vm = placed_here(1);
  auto move = reserved(2);
  sink.put(vm);
  CHECK(table.all_vms().contains(vm.id));
  vm.host = elsewhere;
  vm.migration = move.id;
  vm.revision = 2;
  sink.put(vm);
  sink.put(move);
  CHECK(table.all_vms().contains(vm.id)); // it may come back
  move.phase = migration_phase::done;
  move.revision = 3;
  sink.put(move);
  CHECK(table.all_vms().empty());
}

TEST_CASE("a VM that has left is forgotten once nothing of it is here, and only then") {
  host_table table{here};
  auto sink = table.sink();
  auto vm = placed_here(1);
  auto move = reserved(2);
  const auto kept = [&](bool needed) {
    table.forget_elsewhere([&](vm_id) { return needed; });
    return table.find(vm.id) != nullptr;
  };
  sink.put(vm);
  CHECK(kept(false));
  vm.host = elsewhere;
  vm.migration = move.id;
  vm.revision = 2;
  sink.put(vm);
  CHECK(kept(false)); // its migration is still to come, and may be to here
  sink.put(move);
  CHECK(kept(false));
  move.phase = migration_phase::done;
  move.revision = 3;
  sink.put(move);
  CHECK(kept(true));
  CHECK(!kept(false));
  vm.host = here; // it returns
  vm.migration = {};
  vm.revision = 4;
  sink.put(vm);
  CHECK(kept(false));
}
