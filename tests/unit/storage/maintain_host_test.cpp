#include "drained_cluster.hpp"

using namespace novacron;

TEST_CASE("a cordoned host gets no VMs until it is uncordoned, whoever registers meanwhile") {
  drained_cluster cluster;
  CHECK(cluster.wish(maintenance_wish::cordon).ok());
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
  CHECK(cluster.create().error == command_errc::unknown_host);
  CHECK(cluster.wish(maintenance_wish::cordon).ok());
  CHECK(cluster.last.changes.empty());
  cluster.run(register_host{cluster.host(cluster.node_1, "node-1")});
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
  // It is lost, and comes back cordoned.
  cluster.run(renew_lease{cluster.node_1, cluster.boot, 5s});
  cluster.run(expire_lease{cluster.node_1, 1});
  CHECK(cluster.of(cluster.node_1) == host_state::unreachable);
  cluster.run(renew_lease{cluster.node_1, cluster.boot, 5s});
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
  CHECK(cluster.wish(maintenance_wish::uncordon).ok());
  CHECK(cluster.create().ok());
  CHECK(cluster.wish(maintenance_wish::cordon, test_id<node_id>(9)).error
        == command_errc::unknown_host);
}

TEST_CASE("a host that can't be reached is cordoned all the same, and shows it once it can be") {
  drained_cluster cluster;
  cluster.run(renew_lease{cluster.node_1, cluster.boot, 5s});
  cluster.run(expire_lease{cluster.node_1, 1});
  CHECK(cluster.wish(maintenance_wish::cordon).ok());
  CHECK(cluster.of(cluster.node_1) == host_state::unreachable);
  cluster.run(renew_lease{cluster.node_1, cluster.boot, 5s});
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
}

TEST_CASE("draining an empty host is done at once") {
  drained_cluster cluster;
  auto outcome = cluster.drain();
  CHECK(outcome.ok());
  CHECK(outcome.task == task);
  CHECK(cluster.the_task().state == task_state::finished);
  CHECK(cluster.of(cluster.node_1) == host_state::drained);
}

TEST_CASE("a drain moves its VMs, shows each of them, and leaves a drained host") {
  drained_cluster cluster;
  cluster.started();
  CHECK(cluster.drain().ok());
  CHECK(cluster.of(cluster.node_1) == host_state::draining);
  CHECK(cluster.part_of().state == move_state::waiting);
  auto ordered = cluster.order();
  CHECK(ordered.ok());
  CHECK(ordered.migration == cluster.move);
  CHECK(cluster.part_of().state == move_state::moving);
  CHECK(cluster.part_of().migration == cluster.move);
  CHECK(cluster.part_of().to == cluster.node_2);
  cluster.arrives();
  CHECK(cluster.part_of().state == move_state::finished);
  CHECK(cluster.the_task().state == task_state::finished);
  CHECK(cluster.the_task().ended == cluster.time);
  CHECK(cluster.of(cluster.node_1) == host_state::drained);
  CHECK(cluster.state.find(cluster.node_1)->drain == task);
}

TEST_CASE("a VM is not done while its old host still holds a copy, or may get it back") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  cluster.order();
  cluster.run(
      decide_migration{cluster.move, cluster.the_move().epoch, migration_decision::commit, {}});
  CHECK(cluster.part_of().state == move_state::moving);
  cluster.run(decide_migration{cluster.move, cluster.the_move().epoch,
                               migration_decision::return_guest, "it never ran"});
  cluster.clean(cluster.node_1);
  CHECK(cluster.part_of().state == move_state::waiting);
  CHECK(cluster.part_of().attempts == 1);
  CHECK(cluster.part_of().reason == "rolled back: it never ran");
}

TEST_CASE("an order that another driver gave already, or that comes late, changes nothing") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  REQUIRE(cluster.order().ok());
  auto again = cluster.order(cluster.vm, 0, test_id<migration_id>(22));
  CHECK(again.error == command_errc::revision_mismatch);
  CHECK(cluster.last.changes.empty());
  cluster.rolls_back();
  CHECK(cluster.order(cluster.vm, 0, test_id<migration_id>(22)).error
        == command_errc::revision_mismatch);
  CHECK(cluster.order(cluster.vm, 1, test_id<migration_id>(22)).ok());
  cluster.arrives(cluster.vm, test_id<migration_id>(22));
  CHECK(cluster.order(cluster.vm, 1, test_id<migration_id>(23)).error
        == command_errc::revision_mismatch);
  CHECK(
      cluster.run(move_vm{test_id<task_id>(99), cluster.vm, 0, cluster.node_2, cluster.move}).error
      == command_errc::unknown_task);
}

TEST_CASE("no more migrations than were allowed are under way, even in one batch") {
  drained_cluster cluster;
  cluster.runs(cluster.vm, "a");
  cluster.runs(second, "b");
  cluster.drain(0ms, deadline_policy::leave, 1);
  const auto& done
      = cluster.apply({{move_vm{task, cluster.vm, 0, cluster.node_2, cluster.move}, {}},
                       {move_vm{task, second, 0, cluster.node_2, test_id<migration_id>(22)}, {}}});
  CHECK(done.outcomes.at(0).ok());
  CHECK(done.outcomes.at(1).error == command_errc::migration_in_progress);
  cluster.arrives();
  CHECK(cluster.order(second, 0, test_id<migration_id>(22)).ok());
}

TEST_CASE("a VM without a guest is placed elsewhere, under a new epoch") {
  drained_cluster cluster;
  cluster.create();
  cluster.drain();
  const auto before = cluster.the_vm().epoch;
  CHECK(cluster.order().ok());
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().epoch > before);
  CHECK(cluster.the_vm().actual == actual_state::defined);
  CHECK(cluster.part_of().state == move_state::finished);
  CHECK(cluster.of(cluster.node_1) == host_state::drained);
}

TEST_CASE("a VM without a guest is placed elsewhere once, even by one batch") {
  drained_cluster cluster;
  cluster.create();
  cluster.drain();
  const command order{move_vm{task, cluster.vm, 0, cluster.node_2, cluster.move}, {}};
  const auto& done = cluster.apply({order, order});
  CHECK(done.outcomes.at(0).ok());
  CHECK(done.outcomes.at(1).error == command_errc::revision_mismatch);
}

TEST_CASE("one whose guest has failed takes its end and its restart along") {
  drained_cluster cluster;
  cluster.policy = restart_policy::on_failure;
  cluster.started();
  cluster.see(actual_state::failed, "it crashed");
  const auto due = cluster.the_vm().restarts.due;
  REQUIRE(due != log_time{});
  cluster.time -= 1s; // it isn't due yet
  cluster.drain();
  cluster.time -= 1s;
  REQUIRE(cluster.order().ok());
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().actual == actual_state::failed);
  CHECK(cluster.the_vm().seen_epoch == cluster.the_vm().epoch);
  cluster.pass(10s);
  CHECK(cluster.the_vm().actual == actual_state::starting);
  CHECK(cluster.the_vm().host == cluster.node_2);
}

TEST_CASE("a paused VM waits, and says so, until somebody resumes it") {
  drained_cluster cluster;
  cluster.started();
  cluster.request(requested_state::paused);
  cluster.see(actual_state::paused);
  cluster.drain();
  CHECK(cluster.part_of().state == move_state::waiting);
  CHECK(cluster.part_of().reason == "it is paused: resume it or stop it");
  CHECK(cluster.order().error == command_errc::wrong_state);
  cluster.request(requested_state::running);
  cluster.see(actual_state::running);
  CHECK(cluster.part_of().reason.empty());
  CHECK(cluster.order().ok());
}

TEST_CASE("what leaves by itself, or is deleted, needs no order") {
  drained_cluster cluster;
  cluster.runs(cluster.vm, "a");
  cluster.runs(second, "b");
  cluster.drain();
  cluster.request(requested_state::deleted, second);
  cluster.see(actual_state::gone, {}, second);
  CHECK(cluster.part_of(second).state == move_state::finished);
  CHECK(cluster.part_of(second).reason == "it was deleted");
  REQUIRE(cluster.reserve().ok()); // by its owner
  CHECK(cluster.part_of().state == move_state::moving);
  cluster.arrives();
  CHECK(cluster.the_task().state == task_state::finished);
}

TEST_CASE("a migration that was on its way to the host when its drain began is part of it") {
  drained_cluster cluster;
  cluster.started();
  REQUIRE(cluster.reserve().ok()); // from node-1 to node-2
  maintain_host wish{cluster.node_2, maintenance_wish::drain, task, 2, 0ms, deadline_policy::leave};
  cluster.runs(second, "b");
  REQUIRE(cluster.run(reserve_migration{test_id<migration_id>(22), second, cluster.node_2, 0, {}})
              .ok());
  create_vm stays;
  stays.vm = test_id<vm_id>(13);
  stays.name = "c";
  stays.spec.memory_mib = 16;
  stays.spec.image = "tick";
  stays.host = cluster.node_2;
  REQUIRE(cluster.run(stays).ok());
  REQUIRE(cluster.run(wish).ok());
  REQUIRE(cluster.the_task().moves.size() == 1);
  cluster.decide(migration_decision::commit);
  REQUIRE(cluster.the_task().moves.size() == 2);
  CHECK(cluster.part_of(cluster.vm).state == move_state::moving);
}
