#include "drained_cluster.hpp"
#include "storage/state/task_moves.hpp"

using namespace novacron;

TEST_CASE("after five migrations that were rolled back a VM stays, and the host is cordoned") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  for (uint32_t n = 0; n < most_attempts; ++n) {
    CHECK(cluster.part_of().state == move_state::waiting);
    const auto by = test_id<migration_id>(50 + n);
    REQUIRE(cluster.order(cluster.vm, n, by).ok());
    cluster.rolls_back(by);
  }
  CHECK(cluster.part_of().state == move_state::failed);
  CHECK(cluster.part_of().reason == "rolled back: the link broke");
  CHECK(cluster.the_task().state == task_state::failed);
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
}

TEST_CASE("at the deadline what is left stays, what is moving may arrive") {
  drained_cluster cluster;
  cluster.runs(cluster.vm, "a");
  cluster.runs(second, "b");
  cluster.drain(60s);
  REQUIRE(cluster.order().ok());
  cluster.pass(61s);
  CHECK(cluster.part_of(second).state == move_state::failed);
  CHECK(cluster.part_of(second).reason == "its time was over");
  CHECK(cluster.the_task().state == task_state::running);
  cluster.arrives();
  CHECK(cluster.the_task().state == task_state::failed);
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
}

TEST_CASE("or its guests are stopped, and it is placed elsewhere") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain(60s, deadline_policy::stop);
  cluster.pass(61s);
  CHECK(cluster.the_vm().requested == requested_state::stopped);
  CHECK(cluster.the_vm().actual == actual_state::stopping);
  CHECK(cluster.part_of().state == move_state::waiting);
  CHECK(cluster.part_of().stopped);
  cluster.see(actual_state::defined);
  REQUIRE(cluster.order().ok());
  CHECK(cluster.part_of().state == move_state::finished);
  CHECK(cluster.part_of().reason == "its guest was stopped at the deadline");
  CHECK(cluster.of(cluster.node_1) == host_state::drained);
}

TEST_CASE("a stopped guest's VM for which there is no room stays after the deadline") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain(60s, deadline_policy::stop);
  cluster.pass(61s);
  cluster.see(actual_state::defined);
  CHECK(cluster.run(note_move{task, cluster.vm, 0, "no host can take it"}).ok());
  CHECK(cluster.part_of().state == move_state::failed);
  CHECK(cluster.part_of().reason == "no host can take it");
  CHECK(cluster.the_task().state == task_state::failed);
}

TEST_CASE("why a VM can't be moved is written once, and only while it waits") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  const note_move note{task, cluster.vm, 0, "no host can take it"};
  CHECK(cluster.run(note).ok());
  CHECK(cluster.part_of().reason == "no host can take it");
  CHECK(cluster.run(note).ok());
  CHECK(cluster.last.changes.empty());
  REQUIRE(cluster.order().ok());
  CHECK(cluster.part_of().reason.empty());
  CHECK(cluster.run(note).error == command_errc::revision_mismatch);
}

TEST_CASE("uncordoning calls a drain off; what is moving goes on") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  REQUIRE(cluster.order().ok());
  CHECK(cluster.wish(maintenance_wish::uncordon).ok());
  CHECK(cluster.the_task().state == task_state::cancelled);
  CHECK(cluster.of(cluster.node_1) == host_state::up);
  CHECK(cluster.the_move().undecided());
  cluster.rolls_back();
  CHECK(cluster.order(cluster.vm, 0, test_id<migration_id>(22)).error
        == command_errc::revision_mismatch);
}

TEST_CASE("a task that is cancelled leaves its host cordoned") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  CHECK(cluster.run(cancel_task{task}).ok());
  CHECK(cluster.of(cluster.node_1) == host_state::cordoned);
  CHECK(cluster.run(cancel_task{task}).ok());
  CHECK(cluster.run(cancel_task{test_id<task_id>(99)}).error == command_errc::unknown_task);
}

TEST_CASE("draining a host that is being drained changes the terms, not the task") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  maintain_host again{cluster.node_1,       maintenance_wish::drain, test_id<task_id>(32), 4, 30s,
                      deadline_policy::stop};
  auto outcome = cluster.run(again);
  CHECK(outcome.ok());
  CHECK(outcome.task == task);
  CHECK(cluster.the_task().parallel == 4);
  CHECK(cluster.the_task().then == deadline_policy::stop);
  CHECK(cluster.the_task().deadline == cluster.time + 30s);
}

TEST_CASE("a rebalance makes the planned moves, tries each once, and ends") {
  drained_cluster cluster;
  cluster.runs(cluster.vm, "a");
  cluster.runs(second, "b");
  start_rebalance wish{task, 2, {{cluster.vm, cluster.node_2}, {second, cluster.node_2}}};
  CHECK(cluster.run(wish).ok());
  auto other = wish;
  other.task = test_id<task_id>(32);
  CHECK(cluster.run(other).error == command_errc::wrong_state);
  REQUIRE(cluster.order().ok());
  REQUIRE(cluster.order(second, 0, test_id<migration_id>(22)).ok());
  cluster.arrives();
  CHECK(cluster.part_of().state == move_state::finished);
  cluster.rolls_back(test_id<migration_id>(22));
  CHECK(cluster.part_of(second).state == move_state::failed);
  CHECK(cluster.the_task().state == task_state::failed);
  CHECK(cluster.of(cluster.node_1) == host_state::up);
}

TEST_CASE("a rebalance names VMs and hosts that are there, each VM once") {
  drained_cluster cluster;
  cluster.started();
  CHECK(cluster.run(start_rebalance{task, 2, {}}).error == command_errc::wrong_state);
  CHECK(cluster.run(start_rebalance{task, 2, {{second, cluster.node_2}}}).error
        == command_errc::unknown_vm);
  CHECK(cluster
            .run(start_rebalance{
                task, 2, {{cluster.vm, cluster.node_2}, {cluster.vm, cluster.node_2}}})
            .error
        == command_errc::unknown_vm);
  CHECK(cluster.run(start_rebalance{task, 2, {{cluster.vm, test_id<node_id>(9)}}}).error
        == command_errc::unknown_host);
}

TEST_CASE("a task that is loaded again goes on where it was") {
  drained_cluster cluster;
  cluster.started();
  cluster.drain();
  REQUIRE(cluster.order().ok());
  cluster_state again;
  for (const auto& record : cluster.state.records())
    again.load(record);
  again.loaded(cluster.index, cluster.time);
  cluster.state = std::move(again);
  cluster.arrives();
  CHECK(cluster.the_task().state == task_state::finished);
  CHECK(cluster.of(cluster.node_1) == host_state::drained);
}

TEST_CASE("a task that has ended is removed after a day") {
  drained_cluster cluster;
  cluster.drain();
  REQUIRE(cluster.the_task().state == task_state::finished);
  cluster.pass(23h);
  CHECK(cluster.state.find(task) != nullptr);
  cluster.pass(2h);
  CHECK(cluster.state.find(task) == nullptr);
}
