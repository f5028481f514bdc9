#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using enum migration_phase;
constexpr auto commit = migration_decision::commit;
constexpr auto return_guest = migration_decision::return_guest;

TEST_CASE("a reservation takes room at the destination and marks the VM") {
  test_cluster cluster;
  cluster.started();
  auto outcome = cluster.reserve();
  REQUIRE(outcome.ok());
  CHECK(outcome.migration == cluster.move);
  CHECK(outcome.phase == reserved);
  CHECK(cluster.the_move().from == cluster.node_1);
  CHECK(cluster.the_move().epoch == cluster.the_vm().epoch);
  CHECK(cluster.the_vm().actual == actual_state::migrating);
  CHECK(cluster.the_vm().migration == cluster.move);
  CHECK(cluster.the_vm().operation == outcome.operation);
  CHECK(cluster.became(outcome) == operation_state::running);
  CHECK(cluster.state.load_of(cluster.node_2).memory_mib == 1024);
  CHECK(cluster.create(test_id<vm_id>(12), "b", cluster.node_2, 4096).error
        == command_errc::no_capacity);
}

TEST_CASE("a migration keeps the terms under which it was asked for") {
  test_cluster cluster;
  cluster.started();
  const migration_terms terms{migration_intent::downtime, std::chrono::milliseconds{40},
                              std::chrono::seconds{90}};
  REQUIRE(cluster
              .run(reserve_migration{cluster.move, cluster.vm, cluster.node_2, 0,
                                     cluster.next_operation(), terms})
              .ok());
  CHECK(cluster.the_move().terms == terms);
}

TEST_CASE("a reservation is refused where a migration cannot be") {
  test_cluster cluster;
  CHECK(cluster.reserve().error == command_errc::unknown_vm);
  cluster.create();
  cluster.request(requested_state::running);
  CHECK(cluster.reserve().error == command_errc::wrong_state);
  cluster.see(actual_state::running);
  CHECK(cluster.reserve(cluster.node_1).error == command_errc::same_host);
  CHECK(cluster.reserve(test_id<node_id>(9)).error == command_errc::unknown_host);
  reserve_migration wish{cluster.move, cluster.vm, cluster.node_2, 1, cluster.next_operation()};
  CHECK(cluster.run(wish).error == command_errc::revision_mismatch);
  auto lame = test_cluster::host(cluster.node_2, "node-2");
  lame.live_migration_problem = "its libvirt is too old";
  cluster.run(register_host{lame});
  auto refused = cluster.reserve();
  CHECK(refused.error == command_errc::wrong_state);
  CHECK(refused.detail.find("its libvirt is too old") != std::string::npos);
  lame.live_migration_problem.clear();
  lame.memory_mib = 1023;
  cluster.run(register_host{lame});
  CHECK(cluster.reserve().error == command_errc::no_capacity);
  lame.memory_mib = 1024;
  cluster.run(register_host{lame});
  CHECK(cluster.reserve().ok());
  CHECK(cluster
            .run(reserve_migration{test_id<migration_id>(22), cluster.vm, cluster.node_2, 0,
                                   cluster.next_operation()})
            .error
        == command_errc::migration_in_progress);
  CHECK(cluster.request(requested_state::paused).error == command_errc::migration_in_progress);
}

TEST_CASE("a VM without a guest has its other place at once") {
  test_cluster cluster;
  cluster.create();
  const auto before = cluster.the_vm().epoch;
  const auto moved = cluster.reserve();
  REQUIRE(moved.ok());
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().epoch == before.next());
  CHECK(cluster.became(moved) == operation_state::succeeded);
  CHECK(cluster.state.find(cluster.move) == nullptr);
  CHECK(cluster.state.load_of(cluster.node_1).memory_mib == 0);
  // What its first host has still to say of it counts no more, and it starts where it is now.
  cluster.see_on(cluster.node_1, before, actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::defined);
  cluster.request(requested_state::running);
  cluster.see(actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::running);

  SUBCASE("not on the host where it is") {
    cluster.request(requested_state::stopped);
    cluster.see(actual_state::defined);
    CHECK(cluster.reserve(cluster.node_2).error == command_errc::same_host);
  }
  SUBCASE("not while it may have one") {
    cluster.request(requested_state::stopped);
    CHECK(cluster.reserve(cluster.node_1).error == command_errc::wrong_state);
  }
  SUBCASE("not before all members know how") {
    cluster.request(requested_state::stopped);
    cluster.see(actual_state::defined);
    cluster.version = cold_moves_since - 1;
    CHECK(cluster.reserve(cluster.node_1).error == command_errc::wrong_state);
  }
}

TEST_CASE("a migration that began before a recovery isn't committed after it") {
  test_cluster cluster;
  cluster.started();
  const auto before = cluster.the_vm().epoch;
  REQUIRE(cluster.reserve().ok());
  cluster.timeline = 4;
  SUBCASE("but aborted") {
    const auto outcome = cluster.run(
        decide_migration{cluster.move, cluster.the_move().epoch, commit, "all is there"});
    CHECK(outcome.ok());
    CHECK(outcome.phase == aborted);
    CHECK(cluster.the_move().reason == "the cluster was recovered since it began");
    CHECK(cluster.the_vm().epoch == before);
    CHECK(cluster.the_vm().host == cluster.node_1);
  }
  SUBCASE("unless programs are among the members that know nothing of it") {
    cluster.version = admission_since - 1;
    const auto outcome = cluster.run(
        decide_migration{cluster.move, cluster.the_move().epoch, commit, "all is there"});
    CHECK(outcome.phase == committed);
  }
}

TEST_CASE("after a recovery a migration gives a permission of the new timeline") {
  test_cluster cluster;
  cluster.started();
  const auto before = cluster.the_vm().epoch;
  cluster.timeline = 4;
  REQUIRE(cluster.reserve().ok());
  const epoch expected{4, before.number + 1};
  CHECK(cluster.the_move().destination_epoch() == expected);
  REQUIRE(cluster.run(decide_migration{cluster.move, before, commit, ""}).ok());
  CHECK(cluster.the_vm().epoch == expected);
  CHECK(cluster.the_vm().host == cluster.node_2);
}

TEST_CASE("a commit moves the VM with a new permission; both ends clean is done") {
  test_cluster cluster;
  cluster.started();
  auto migrate = cluster.reserve();
  auto committed_outcome = cluster.decide(commit);
  CHECK(committed_outcome.phase == committed);
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
  CHECK(cluster.the_vm().seen_epoch == epoch{3, 1});
  // The source may get its guest back: its room stays taken.
  CHECK(cluster.state.load_of(cluster.node_1).memory_mib == 1024);
  CHECK(cluster.state.load_of(cluster.node_2).memory_mib == 1024);

  cluster.see(actual_state::running);
  CHECK(cluster.the_move().phase == finished);
  CHECK(cluster.the_move().destination_clean);
  CHECK(cluster.became(migrate) == operation_state::running);
  cluster.clean(cluster.node_1, {std::chrono::milliseconds{0}, 1 << 20, 1 << 19, 3, true});
  CHECK(cluster.the_move().phase == done);
  CHECK(cluster.the_move().ended == cluster.time);
  CHECK(cluster.the_move().cost.rounds == 3);
  CHECK(cluster.the_move().cost.duration == cluster.time - cluster.the_move().created);
  CHECK(cluster.the_vm().migration.nil());
  CHECK(cluster.the_vm().operation.nil());
  CHECK(cluster.the_vm().actual == actual_state::running);
  CHECK(cluster.became(migrate) == operation_state::succeeded);
  CHECK(cluster.state.load_of(cluster.node_1) == host_load{});
}

TEST_CASE("what the destination measured counts until the source says what it cost") {
  const migration_cost from_destination{std::chrono::milliseconds{0}, 1 << 20, 1 << 18, 2, true};
  test_cluster cluster;
  SUBCASE("and stays when the source died before it could") {
    cluster.started();
    cluster.reserve();
    cluster.decide(commit);
    cluster.see(actual_state::running);
    cluster.clean(cluster.node_2, from_destination);
    cluster.clean(cluster.node_1);
    CHECK(cluster.the_move().phase == done);
    CHECK(cluster.the_move().cost.wire_bytes == 1 << 18);
    CHECK(cluster.the_move().cost.chain_ok);
  }
  SUBCASE("and not longer") {
    cluster.started();
    cluster.reserve();
    cluster.decide(commit);
    cluster.clean(cluster.node_2, from_destination);
    cluster.clean(cluster.node_1, {std::chrono::milliseconds{0}, 1 << 20, 1 << 19, 3, true});
    CHECK(cluster.the_move().cost.wire_bytes == 1 << 19);
  }
  SUBCASE("nor against the source's") {
    cluster.started();
    cluster.reserve();
    cluster.decide(commit);
    cluster.clean(cluster.node_1, {std::chrono::milliseconds{0}, 1 << 20, 1 << 19, 3, true});
    cluster.clean(cluster.node_2, from_destination);
    CHECK(cluster.the_move().cost.wire_bytes == 1 << 19);
  }
  SUBCASE("with what was made of the pages, once all replicas know of that") {
    cluster.version = page_work_since - 1;
    migration_cost cost = from_destination;
    cost.work.same_pages = 5;
    cluster.started();
    cluster.reserve();
    cluster.decide(commit);
    cluster.clean(cluster.node_1, cost);
    CHECK(cluster.the_move().cost == from_destination);
    cluster.version = page_work_since;
    cluster.clean(cluster.node_1, cost);
    CHECK(cluster.the_move().cost == cost);
  }
  SUBCASE("only where all replicas know that it does") {
    cluster.version = 2;
    cluster.started();
    cluster.reserve();
    cluster.decide(commit);
    cluster.clean(cluster.node_2, from_destination);
    CHECK(cluster.the_move().cost == migration_cost{});
  }
}

TEST_CASE("the destination's word that it is clean also finishes a committed migration") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  cluster.decide(commit);
  cluster.clean(cluster.node_2);
  CHECK(cluster.the_move().phase == finished);
}

TEST_CASE("an abort leaves the VM where it is, and ends once both sides are clean") {
  test_cluster cluster;
  cluster.started();
  auto migrate = cluster.reserve();
  CHECK(cluster.decide(migration_decision::abort, "the link broke").phase == aborted);
  CHECK(cluster.the_vm().host == cluster.node_1);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  cluster.see(actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::running);
  CHECK(cluster.the_vm().migration == cluster.move);
  cluster.clean(cluster.node_1);
  CHECK(cluster.the_vm().migration.nil());
  CHECK(cluster.error_of(migrate) == "rolled back: the link broke");
  CHECK(cluster.the_move().phase == aborted);
  CHECK(cluster.state.load_of(cluster.node_2).memory_mib == 1024);
  cluster.clean(cluster.node_2);
  CHECK(cluster.the_move().phase == rolled_back);
  CHECK(cluster.state.load_of(cluster.node_2) == host_load{});
}

TEST_CASE("a committed guest that never ran returns to the source with yet another permission") {
  test_cluster cluster;
  cluster.started();
  auto migrate = cluster.reserve();
  cluster.decide(commit);
  CHECK(cluster.decide(return_guest, "the destination's QEMU died").phase == returned);
  CHECK(cluster.the_vm().host == cluster.node_1);
  CHECK(cluster.the_vm().epoch == epoch{3, 3});
  cluster.see(actual_state::running);
  CHECK(cluster.the_move().phase == returned);
  cluster.clean(cluster.node_2);
  cluster.clean(cluster.node_1);
  CHECK(cluster.the_move().phase == rolled_back);
  CHECK(cluster.error_of(migrate) == "rolled back: the destination's QEMU died");
}

TEST_CASE("the first decision wins, and who decides again learns it") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  CHECK(cluster.run(decide_migration{test_id<migration_id>(9), {3, 1}, commit, ""}).error
        == command_errc::unknown_migration);
  auto stale = cluster.run(decide_migration{cluster.move, {3, 2}, commit, ""});
  CHECK(stale.error == command_errc::stale_epoch);
  CHECK(stale.phase == reserved);
  CHECK(cluster.decide(return_guest).error == command_errc::already_decided);
  CHECK(cluster.decide(commit).ok());
  auto late = cluster.decide(migration_decision::abort);
  CHECK(late.error == command_errc::already_decided);
  CHECK(late.phase == committed);
  auto again = cluster.decide(commit);
  CHECK(again.ok());
  CHECK(again.repeated);
  CHECK(again.phase == committed);
  CHECK(cluster.last.changes.empty());
  cluster.clean(cluster.node_2);
  CHECK(cluster.decide(commit).phase == finished);
  CHECK(cluster.decide(return_guest).error == command_errc::already_decided);
}

TEST_CASE("a stop or delete aborts a migration that is not decided") {
  for (auto wish : {requested_state::stopped, requested_state::deleted}) {
    test_cluster cluster;
    cluster.started();
    auto migrate = cluster.reserve();
    auto stop = cluster.request(wish);
    CHECK(cluster.the_move().phase == aborted);
    CHECK(cluster.the_move().decided == cluster.time);
    CHECK(
        cluster.the_move().reason
        == (wish == requested_state::stopped ? "the VM was asked to stop" : "the VM was deleted"));
    CHECK(cluster.the_vm().actual == actual_state::stopping);
    CHECK(cluster.the_vm().operation == stop.operation);
    CHECK(cluster.became(migrate) == operation_state::running);
    cluster.see(wish == requested_state::stopped ? actual_state::defined : actual_state::gone);
    CHECK(cluster.became(stop) == operation_state::succeeded);
    CHECK(cluster.the_vm().operation == migrate.operation);
    cluster.clean(cluster.node_1);
    CHECK(cluster.became(migrate) == operation_state::failed);
    CHECK(cluster.the_vm().operation.nil());
  }
}

TEST_CASE("a stop after the commit is the destination's to carry out") {
  test_cluster cluster;
  cluster.started();
  auto migrate = cluster.reserve();
  cluster.decide(commit);
  auto stop = cluster.request(requested_state::stopped);
  CHECK(cluster.the_move().phase == committed);
  cluster.see_on(cluster.node_2, {3, 2}, actual_state::defined);
  CHECK(cluster.became(stop) == operation_state::succeeded);
  CHECK(cluster.the_move().phase == committed);
  cluster.clean(cluster.node_2);
  cluster.clean(cluster.node_1);
  CHECK(cluster.the_move().phase == done);
  CHECK(cluster.became(migrate) == operation_state::succeeded);
}

TEST_CASE("the change that takes a VM from a host concerns that host") {
  test_cluster cluster;
  cluster.started();
  auto hosts_of_vm_change = [&] {
    for (size_t i = 0; i < cluster.last.changes.size(); ++i)
      if (type_of(cluster.last.changes[i].record) == record_type::vm)
        return cluster.last.audience[i];
    return std::vector<node_id>{};
  };
  CHECK(hosts_of_vm_change() == std::vector{cluster.node_1});
  const std::vector both{cluster.node_1, cluster.node_2};
  cluster.reserve();
  CHECK(hosts_of_vm_change() == both);
  cluster.decide(commit);
  CHECK(hosts_of_vm_change() == both);
  cluster.see(actual_state::running);
  cluster.clean(cluster.node_1);
  CHECK(hosts_of_vm_change() == both);
  cluster.request(requested_state::stopped);
  CHECK(hosts_of_vm_change() == std::vector{cluster.node_2});
}
