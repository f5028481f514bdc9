#include "actors/scheduler/scheduler_state.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const scheduler_state::time_point start{1h};

node_id host_id(uint64_t n) {
  return {{0, n}};
}
vm_id vm_number(uint64_t n) {
  return {{0, n}};
}

host_record host(uint64_t n, uint64_t memory_mib = 8'192, uint32_t vcpus = 4) {
  host_record out;
  out.id = host_id(n);
  out.name = "node-" + std::to_string(n);
  out.memory_mib = memory_mib;
  out.vcpus = vcpus;
  out.images = {"tick"};
  out.state = host_state::up;
  return out;
}

vm_record vm(uint64_t n, uint64_t on, uint64_t memory_mib = 1'024, uint32_t vcpus = 1) {
  vm_record out;
  out.id = vm_number(n);
  out.host = host_id(on);
  out.spec.memory_mib = memory_mib;
  out.spec.vcpus = vcpus;
  out.spec.image = "tick";
  out.actual = actual_state::running;
  return out;
}

place_request create(uint64_t n, uint64_t memory_mib = 1'024, uint32_t vcpus = 1) {
  place_request out;
  out.vm = vm_number(n);
  out.spec.memory_mib = memory_mib;
  out.spec.vcpus = vcpus;
  out.spec.image = "tick";
  return out;
}

place_request migrate(uint64_t n) {
  place_request out;
  out.vm = vm_number(n);
  out.migration = true;
  return out;
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the host with the greatest free share of memory wins") {
  scheduler_state scheduler;
  scheduler.put(host(1, 8'192));
  scheduler.put(host(2, 4'096));
  scheduler.put(vm(1, 1, 4'096)); // half of node-1, 4 GiB free
  scheduler.put(vm(2, 2, 1'024)); // a quarter of node-2, 3 GiB free
  CHECK(scheduler.choose(create(9), start).host == host_id(2));
}

TEST_CASE("equal hosts are told apart by free vcpus, then by id") {
  scheduler_state scheduler;
  scheduler.put(host(2));
  scheduler.put(host(1));
  CHECK(scheduler.choose(create(9), start).host == host_id(1));
  scheduler_state other;
  other.put(host(1, 8'192, 4));
  other.put(host(2, 8'192, 8));
  CHECK(other.choose(create(9), start).host == host_id(2));
}

TEST_CASE("the order of the records doesn't matter") {
  std::vector<any_record> records{host(1), host(2), host(3), vm(1, 1), vm(2, 2, 512), vm(3, 3)};
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return id_of(a) > id_of(b); });
  scheduler_state forward;
  scheduler_state backward;
  for (const auto& each : records)
    forward.put(each);
  for (auto i = records.rbegin(); i != records.rend(); ++i)
    backward.put(*i);
  for (uint64_t n = 10; n < 20; ++n)
    CHECK(forward.choose(create(n), start).host == backward.choose(create(n), start).host);
}

TEST_CASE("only hosts that are up, have the image and room are chosen") {
  scheduler_state scheduler;
  auto cordoned = host(1);
  cordoned.state = host_state::cordoned;
  auto bare = host(2);
  bare.images = {"other"};
  scheduler.put(cordoned);
  scheduler.put(bare);
  scheduler.put(host(3, 2'048));
  CHECK(scheduler.choose(create(9, 2'048), start).host == host_id(3));
  CHECK(scheduler.choose(create(8, 1), start).host.nil());
}

TEST_CASE("the answer says what is missing on the best host") {
  scheduler_state scheduler;
  scheduler.put(host(1, 2'048));
  scheduler.put(host(2, 4'096));
  auto answer = scheduler.choose(create(9, 6'144), start);
  CHECK(answer.host.nil());
  CHECK(mentions(answer.detail, "host node-2 needs 6144 MiB, 4096 free of 4096 at overcommit 1.0"));
  scheduler_state empty;
  CHECK(mentions(empty.choose(create(9), start).detail, "there is no other host"));
}

TEST_CASE("vcpus are overcommitted eightfold and not more") {
  scheduler_state scheduler;
  scheduler.put(host(1, 65'536, 1));
  CHECK(!scheduler.choose(create(9, 256, 8), start).host.nil());
  CHECK(mentions(scheduler.choose(create(8, 256, 1), start).detail,
                 "needs 1 vcpus, 0 free of 8 at overcommit 8.0"));
}

TEST_CASE("a VM that is gone takes no room") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  auto gone = vm(1, 1, 1'024);
  gone.actual = actual_state::gone;
  scheduler.put(gone);
  CHECK(!scheduler.choose(create(9, 1'024), start).host.nil());
}

TEST_CASE("an unfinished migration takes room at its destination") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  scheduler.put(vm(1, 2, 1'024));
  migration_record migration;
  migration.id = {{0, 1}};
  migration.vm = vm_number(1);
  migration.from = host_id(2);
  migration.to = host_id(1);
  scheduler.put(migration);
  CHECK(scheduler.choose(create(9, 1'024), start).host.nil());
  migration.phase = migration_phase::rolled_back;
  migration.revision = 2;
  scheduler.put(migration);
  CHECK(!scheduler.choose(create(9, 1'024), start).host.nil());
}

TEST_CASE("a migration leaves its host, and needs one that can take part") {
  scheduler_state scheduler;
  auto unable = host(1);
  unable.live_migration_problem = "libvirt is too old";
  scheduler.put(unable);
  scheduler.put(host(2));
  scheduler.put(host(3));
  scheduler.put(vm(1, 2));
  scheduler.put(vm(2, 3, 4'096));
  CHECK(scheduler.choose(migrate(1), start).host == host_id(3));
  auto third = host(3);
  third.state = host_state::unreachable;
  third.revision = 2;
  scheduler.put(third);
  CHECK(mentions(scheduler.choose(migrate(1), start).detail, "libvirt is too old"));
  CHECK(scheduler.choose(migrate(77), start).host.nil());
}

TEST_CASE("a host that refused is not chosen again") {
  scheduler_state scheduler;
  scheduler.put(host(1));
  scheduler.put(host(2, 4'096, 1));
  auto request = create(9);
  request.except = host_id(1);
  CHECK(scheduler.choose(request, start).host == host_id(2));
}

TEST_CASE("choices that the feed doesn't show yet count") {
  scheduler_state scheduler;
  scheduler.put(host(1, 2'048));
  CHECK(!scheduler.choose(create(1, 1'024), start).host.nil());
  CHECK(!scheduler.choose(create(2, 1'024), start).host.nil());
  CHECK(scheduler.choose(create(3, 1'024), start).host.nil());
}

TEST_CASE("a choice that the feed shows counts once") {
  scheduler_state scheduler;
  scheduler.put(host(1, 2'048));
  scheduler.choose(create(1, 1'024), start);
  scheduler.put(vm(1, 1, 1'024));
  CHECK(scheduler.promises() == 0);
  CHECK(!scheduler.choose(create(2, 1'024), start).host.nil());
}

TEST_CASE("a choice that came to nothing is forgotten after ten seconds") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  scheduler.choose(create(1, 1'024), start);
  CHECK(scheduler.choose(create(2, 1'024), start + 9'999ms).host.nil());
  CHECK(!scheduler.choose(create(2, 1'024), start + 10s).host.nil());
}

TEST_CASE("asking twice for one VM promises once") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  scheduler.choose(create(1, 1'024), start);
  CHECK(!scheduler.choose(create(1, 1'024), start).host.nil());
  CHECK(scheduler.promises() == 1);
}

TEST_CASE("a listing that is older than what came before changes nothing") {
  scheduler_state scheduler;
  auto now_cordoned = host(1);
  now_cordoned.state = host_state::cordoned;
  now_cordoned.revision = 9;
  scheduler.put(now_cordoned);
  auto before = host(1);
  before.revision = 3;
  scheduler.put(before);
  CHECK(scheduler.choose(create(1), start).host.nil());
}

TEST_CASE("what a new listing doesn't name is gone") {
  scheduler_state scheduler;
  scheduler.put(host(1));
  scheduler.put(host(2));
  scheduler.keep_only({{record_type::host, host_id(2).value}});
  CHECK(scheduler.choose(create(1), start).host == host_id(2));
}

TEST_CASE("a migration's promise waits for the migration, whatever its VM does meanwhile") {
  scheduler_state scheduler;
  scheduler.put(host(1));
  scheduler.put(host(2));
  auto moving = vm(1, 1);
  scheduler.put(moving);
  REQUIRE(scheduler.choose(migrate(1), start).host == host_id(2));
  moving.revision = 5;
  scheduler.put(moving); // still at its source
  CHECK(scheduler.promises() == 1);
  migration_record migration;
  migration.id = {{9, 9}};
  migration.vm = moving.id;
  migration.from = host_id(1);
  migration.to = host_id(2);
  scheduler.put(migration);
  CHECK(scheduler.promises() == 0);
}

TEST_CASE("a migrated VM takes room once, though its migration isn't over") {
  scheduler_state scheduler;
  scheduler.put(host(1, 2'048));
  migration_record migration;
  migration.id = {{9, 9}};
  migration.vm = vm_number(1);
  migration.to = host_id(1);
  migration.phase = migration_phase::finished;
  scheduler.put(migration);
  scheduler.put(vm(1, 1, 1'024));
  CHECK(scheduler.choose(create(2, 1'024), start).host == host_id(1));
}

TEST_CASE("what the feed removes takes no room, and a removed host is not chosen") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  scheduler.put(host(2, 512));
  scheduler.put(vm(1, 1, 512));
  scheduler.put(vm(2, 3, 512));
  migration_record coming;
  coming.id = {{9, 9}};
  coming.vm = vm_number(2);
  coming.to = host_id(1);
  scheduler.put(coming);
  REQUIRE(scheduler.choose(create(3, 1'024), start).host.nil());
  SUBCASE("one by one") {
    scheduler.remove(vm(1, 1, 512));
    CHECK(scheduler.choose(create(3, 1'024), start).host.nil());
    scheduler.remove(coming);
    CHECK(scheduler.choose(create(3, 1'024), start).host == host_id(1));
    scheduler.remove(host(1));
    CHECK(scheduler.choose(create(3, 1'024), start).host.nil());
  }
  SUBCASE("by a listing without the VM") {
    scheduler.keep_only({{record_type::host, host_id(1).value},
                         {record_type::vm, vm_number(2).value},
                         {record_type::migration, coming.id.value}});
    CHECK(scheduler.choose(create(3, 512), start).host == host_id(1));
    CHECK(scheduler.choose(create(3, 1'024), start).host.nil());
  }
  SUBCASE("by a listing without the migration") {
    scheduler.keep_only({{record_type::host, host_id(1).value},
                         {record_type::vm, vm_number(1).value},
                         {record_type::vm, vm_number(2).value}});
    CHECK(scheduler.choose(create(3, 512), start).host == host_id(1));
  }
}

TEST_CASE("a host that has less than its guests take has no room at all") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024, 1));
  SUBCASE("memory") {
    scheduler.put(vm(1, 1, 2'048));
  }
  SUBCASE("vcpus") {
    scheduler.put(vm(1, 1, 128, 9));
  }
  CHECK(scheduler.choose(create(2, 128), start).host.nil());
}

TEST_CASE("a host that can't take part in migrations can be given new VMs") {
  scheduler_state scheduler;
  auto immobile = host(1);
  immobile.live_migration_problem = "it can't";
  scheduler.put(immobile);
  CHECK(scheduler.choose(create(1), start).host == host_id(1));
}

TEST_CASE("a lost VM gets a host that is up, even one that can't migrate, by the log's spec") {
  scheduler_state scheduler;
  auto lost = host(1);
  lost.state = host_state::unreachable;
  scheduler.put(lost);
  auto small = host(2, 1'024);
  scheduler.put(small);
  auto lame = host(3, 4'096);
  lame.live_migration_problem = "its libvirt is too old";
  scheduler.put(lame);
  place_request replace;
  replace.vm = vm_number(7);
  replace.replacement = true;
  CHECK(mentions(scheduler.choose(replace, start).detail, "doesn't know"));
  scheduler.put(vm(7, 1, 2'048));
  CHECK(scheduler.choose(replace, start).host == host_id(3));
}

TEST_CASE("a VM without a guest may go to a host that can't take part in migrations") {
  scheduler_state scheduler;
  auto immobile = host(1);
  immobile.live_migration_problem = "it can't";
  scheduler.put(immobile);
  scheduler.put(host(2));
  auto stopped = vm(1, 2);
  stopped.actual = actual_state::defined;
  scheduler.put(stopped);
  CHECK(scheduler.choose(migrate(1), start).host == host_id(1));
}

TEST_CASE("choices that the feed doesn't show yet count for the rules, too") {
  scheduler_state scheduler;
  scheduler.put(host(1));
  scheduler.put(host(2));
  auto apart = create(1);
  apart.spec.placement.groups = {"db"};
  apart.spec.placement.required_anti_affinity = {"db"};
  const auto first = scheduler.choose(apart, start).host;
  apart.vm = vm_number(2);
  const auto second = scheduler.choose(apart, start).host;
  CHECK(first != second);
  apart.vm = vm_number(3);
  CHECK(scheduler.choose(apart, start).host.nil());

  scheduler_state other;
  other.put(host(1));
  other.put(host(2));
  auto together = create(1);
  together.spec.placement.groups = {"app"};
  together.spec.placement.required_affinity = {"app"};
  const auto with = other.choose(together, start).host;
  for (uint64_t n = 2; n < 6; ++n) {
    together.vm = vm_number(n);
    CHECK(other.choose(together, start).host == with);
  }
}

TEST_CASE("after its commit a migration keeps room at its source, until that is clean") {
  scheduler_state scheduler;
  scheduler.put(host(1, 1'024));
  scheduler.put(vm(1, 2, 1'024));
  migration_record migration;
  migration.id = {{9, 9}};
  migration.vm = vm_number(1);
  migration.from = host_id(1);
  migration.to = host_id(2);
  migration.phase = migration_phase::committed;
  scheduler.put(migration);
  CHECK(scheduler.choose(create(2, 1'024), start).host.nil());
  migration.phase = migration_phase::finished;
  migration.source_clean = true;
  migration.revision = 2;
  scheduler.put(migration);
  CHECK(scheduler.choose(create(2, 1'024), start).host == host_id(1));
}
