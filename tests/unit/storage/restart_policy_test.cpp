#include "messages/codec.hpp"
#include "storage/state/restart_policy.hpp"
#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
using enum actual_state;

namespace {

/// A VM that runs on node-1 in epoch 3.1.
struct restarting_cluster : test_cluster {
  explicit restarting_cluster(restart_policy what = restart_policy::on_failure) {
    policy = what;
    started();
  }

  void crash() { see(failed, "the guest crashed"); }
  void power_off() { see(defined, "the guest switched itself off"); }
  /// From the last batch to the restart that is due.
  [[nodiscard]] std::chrono::milliseconds wait() const { return the_vm().restarts.due - time; }
  /// The next batch comes when the restart is due; the guest is seen to run 1 s later.
  void come_back() {
    pass(wait());
    see(running);
  }
};

} // namespace

TEST_CASE("a guest that crashed gets a new permission to start, once its back-off is over") {
  restarting_cluster cluster;
  cluster.crash();
  CHECK(cluster.the_vm().actual == failed);
  CHECK(cluster.the_vm().reason == "the guest crashed");
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  CHECK(cluster.wait() == 1s);
  cluster.pass(999ms);
  CHECK(cluster.the_vm().actual == failed);
  CHECK(cluster.last.changes.empty());
  cluster.pass(1ms);
  CHECK(cluster.the_vm().actual == starting);
  CHECK(cluster.the_vm().reason.empty());
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
  CHECK(cluster.the_vm().host == cluster.node_1);
  CHECK(cluster.the_vm().restarts.due == log_time{});
  CHECK(cluster.the_vm().restarts.count == 1);
  REQUIRE(cluster.last.changes.size() == 1);
  CHECK(cluster.last.audience.at(0) == std::vector{cluster.node_1});
  cluster.pass(1h);
  CHECK(cluster.the_vm().epoch == epoch{3, 2}); // one permission per end
}

TEST_CASE("what a host says of the old guest is stale once the new one may start") {
  restarting_cluster cluster;
  cluster.crash();
  cluster.pass(1s);
  cluster.see_on(cluster.node_1, {3, 1}, failed, "the guest crashed");
  CHECK(cluster.the_vm().actual == starting);
  CHECK(cluster.the_vm().restarts.count == 1);
  cluster.see_on(cluster.node_1, {3, 1}, running);
  CHECK(cluster.the_vm().actual == starting);
}

TEST_CASE("an end that is said again, in other words, too, is one end, and its first words stay") {
  restarting_cluster cluster;
  cluster.crash();
  const auto due = cluster.the_vm().restarts.due;
  cluster.time -= 1s; // the back-off isn't over yet
  cluster.see(failed, "the guest ended by itself");
  CHECK(cluster.last.changes.empty());
  cluster.time -= 1s;
  cluster.power_off();
  CHECK(cluster.last.changes.empty());
  CHECK(cluster.the_vm().reason == "the guest crashed");
  CHECK(cluster.the_vm().restarts.due == due);
  CHECK(cluster.the_vm().restarts.count == 1);
}

TEST_CASE("each policy restarts after the ends that it names") {
  auto due_after = [](restart_policy policy, bool in_order) {
    restarting_cluster cluster{policy};
    if (in_order)
      cluster.power_off();
    else
      cluster.crash();
    CHECK(cluster.the_vm().actual == failed);
    return cluster.the_vm().restarts.due != log_time{};
  };
  CHECK_FALSE(due_after(restart_policy::never, false));
  CHECK_FALSE(due_after(restart_policy::never, true));
  CHECK(due_after(restart_policy::on_failure, false));
  CHECK_FALSE(due_after(restart_policy::on_failure, true));
  CHECK(due_after(restart_policy::always, false));
  CHECK(due_after(restart_policy::always, true));
}

TEST_CASE("a start that the host refuses is an end, too, and its operation says what follows") {
  test_cluster cluster;
  cluster.policy = restart_policy::on_failure;
  cluster.create();
  auto start = cluster.request(requested_state::running);
  cluster.see(failed, "no such machine");
  CHECK(cluster.error_of(start)
        == "no such machine; it will be started again, as its restart policy says");
  cluster.pass(1s);
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
}

TEST_CASE("the back-off doubles from one restart of a row to the next, up to a minute") {
  restarting_cluster cluster;
  for (auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    cluster.pass(4min); // never five ends within ten minutes
    cluster.crash();
    CHECK(cluster.wait() == expected);
    cluster.come_back();
  }
  CHECK(cluster.the_vm().restarts.count == 8);
}

TEST_CASE("after five ends within ten minutes it stays failed, and says what to do") {
  restarting_cluster cluster;
  for (int i = 0; i < 4; ++i) {
    cluster.crash();
    cluster.come_back();
  }
  cluster.crash();
  CHECK(cluster.the_vm().restarts.due == log_time{});
  CHECK(cluster.the_vm().restarts.count == 4);
  CHECK(cluster.the_vm().reason
        == "the guest crashed; it ended 5 times within 10 minutes and is not restarted any more: "
           "find out why, then start it again");
  cluster.see(failed, "the guest crashed"); // as its host says it again
  CHECK(cluster.last.changes.empty());
  const auto epoch = cluster.the_vm().epoch;
  cluster.pass(24h);
  CHECK(cluster.the_vm().actual == failed);
  CHECK(cluster.the_vm().epoch == epoch);
}

TEST_CASE("a guest that ran for ten minutes begins a new row when it ends") {
  restarting_cluster cluster;
  for (int i = 0; i < 3; ++i) {
    cluster.crash();
    cluster.come_back();
  }
  SUBCASE("nearly ten minutes are not enough") {
    cluster.pass(10min - 1001ms);
    cluster.crash();
    CHECK(cluster.the_vm().restarts.count == 4);
  }
  SUBCASE("ten minutes are") {
    cluster.pass(10min - 1s);
    cluster.crash();
    CHECK(cluster.the_vm().restarts.count == 1);
    CHECK(cluster.the_vm().restarts.ends.size() == 1);
    CHECK(cluster.wait() == 1s);
  }
}

TEST_CASE("a start by a user goes ahead of the back-off and begins a new row") {
  restarting_cluster cluster;
  for (int i = 0; i < 3; ++i) {
    cluster.crash();
    cluster.come_back();
  }
  SUBCASE("while it waits") {
    cluster.crash();
    auto start = cluster.request(requested_state::running);
    CHECK(cluster.the_vm().actual == starting);
    CHECK(cluster.became(start) == operation_state::running);
  }
  SUBCASE("while it is being restarted") {
    cluster.crash();
    cluster.pass(cluster.wait());
    const auto epoch = cluster.the_vm().epoch;
    auto start = cluster.request(requested_state::running);
    CHECK(cluster.the_vm().epoch == epoch); // its permission is as good as another
    cluster.see(running);
    CHECK(cluster.became(start) == operation_state::succeeded);
  }
  SUBCASE("once it was given up") {
    cluster.crash();
    cluster.come_back();
    cluster.crash();
    REQUIRE(cluster.the_vm().restarts.due == log_time{});
    cluster.request(requested_state::running);
    CHECK(cluster.the_vm().actual == starting);
  }
  CHECK(cluster.the_vm().restarts.count == 0);
  CHECK(cluster.the_vm().restarts.ends.empty());
  const auto epoch = cluster.the_vm().epoch;
  cluster.pass(1min);
  CHECK(cluster.the_vm().epoch == epoch); // nothing is due any more
  cluster.crash();
  CHECK(cluster.wait() == 1s);
}

TEST_CASE("a stop or delete during the back-off wins, even in the batch that would restart") {
  restarting_cluster cluster;
  cluster.crash();
  request_state wish{cluster.vm, requested_state::stopped, 0, cluster.next_operation()};
  SUBCASE("a stop") {
    cluster.run(wish);
    CHECK(cluster.the_vm().actual == defined);
    CHECK(cluster.state.find(wish.operation)->state == operation_state::succeeded);
  }
  SUBCASE("a delete") {
    wish.requested = requested_state::deleted;
    cluster.time += 1h;
    cluster.run(wish);
    CHECK(cluster.the_vm().requested == requested_state::deleted);
  }
  SUBCASE("a stop, late") {
    cluster.time += 1h;
    cluster.run(wish);
    CHECK(cluster.the_vm().actual == defined);
  }
  CHECK(cluster.the_vm().restarts == restart_record{});
  cluster.pass(1h);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
}

TEST_CASE("a guest that ends while nobody wants it to run is not restarted") {
  restarting_cluster cluster{restart_policy::always};
  auto wish = requested_state::stopped;
  SUBCASE("it is to stop") {
    wish = requested_state::stopped;
  }
  SUBCASE("it is to go") {
    wish = requested_state::deleted;
  }
  SUBCASE("it is to pause: what it was paused for is lost") {
    wish = requested_state::paused;
  }
  cluster.request(wish);
  cluster.crash();
  CHECK(cluster.the_vm().restarts.due == log_time{});
  cluster.pass(1h);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
}

TEST_CASE("a VM that waits for its restart can neither be migrated nor paused") {
  restarting_cluster cluster;
  cluster.crash();
  auto refused = cluster.reserve();
  CHECK(refused.error == command_errc::wrong_state);
  CHECK(refused.detail
        == "vm web-1: it is failed; only one that runs, or that has no guest, can migrate");
  CHECK(cluster.request(requested_state::paused).error == command_errc::wrong_state);
}

TEST_CASE("a guest that was said to be gone and is seen to run needs no restart") {
  restarting_cluster cluster;
  cluster.crash();
  cluster.see(running);
  CHECK(cluster.the_vm().restarts.due == log_time{});
  cluster.pass(1h);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
}

// -- migrations --------------------------------------------------------------------

TEST_CASE("a committed destination that dies is restarted there, and the source never") {
  restarting_cluster cluster;
  cluster.reserve();
  cluster.decide(migration_decision::commit);
  cluster.clean(cluster.node_2); // it ran there, and has ended
  REQUIRE(cluster.the_move().phase == migration_phase::finished);
  cluster.see_on(cluster.node_2, {3, 2}, failed, "the guest ended by itself");
  cluster.pass(1s);
  CHECK(cluster.the_vm().actual == starting);
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().epoch == epoch{3, 3});
  cluster.clean(cluster.node_1);
  CHECK(cluster.the_move().phase == migration_phase::done);
  cluster.see(running);
  CHECK(cluster.the_vm().host == cluster.node_2);
  CHECK(cluster.the_vm().migration.nil());
}

TEST_CASE("while the source may get its guest back nothing is restarted") {
  restarting_cluster cluster;
  cluster.reserve();
  cluster.decide(migration_decision::commit);
  cluster.see_on(cluster.node_2, {3, 2}, failed, "the guest ended by itself");
  cluster.pass(1h);
  REQUIRE(cluster.the_move().phase == migration_phase::committed);
  CHECK(cluster.the_vm().actual == failed);
  cluster.decide(migration_decision::return_guest, "it never ran");
  CHECK(cluster.the_vm().restarts.due == log_time{});
  cluster.clean(cluster.node_1);
  cluster.clean(cluster.node_2);
  cluster.pass(1h);
  CHECK(cluster.the_vm().host == cluster.node_1);
  CHECK(cluster.the_vm().epoch == epoch{3, 3}); // of the source's guest, which goes on
}

TEST_CASE("a guest that ends during its migration is restarted once its source is clean") {
  restarting_cluster cluster;
  cluster.reserve();
  cluster.crash();
  REQUIRE(cluster.the_move().phase == migration_phase::aborted);
  cluster.pass(1h);
  CHECK(cluster.the_vm().actual == failed);
  cluster.clean(cluster.node_1);
  CHECK(cluster.the_vm().actual == starting);
  CHECK(cluster.the_vm().host == cluster.node_1);
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
}

// -- replicas ----------------------------------------------------------------------

TEST_CASE("a replica that starts during a back-off finds it in the records") {
  restarting_cluster cluster;
  cluster.crash();
  cluster_state restarted;
  for (const auto& each : cluster.state.records())
    restarted.load(decode<stored_record>(encode(stored_record{each})).value().record);
  restarted.loaded(cluster.index, cluster.time);
  cluster.state = std::move(restarted);
  cluster.pass(1s);
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
  CHECK(cluster.the_vm().restarts.count == 1);
}

TEST_CASE("entries of the version that had no restarts do what they did") {
  restarting_cluster cluster;
  cluster.version = 1;
  cluster.crash();
  CHECK(cluster.the_vm().restarts.due == log_time{});
  cluster.see(failed, "the guest ended by itself");
  CHECK(cluster.the_vm().reason == "the guest ended by itself");
}

TEST_CASE("many restarts that are due at once are spread over batches") {
  test_cluster cluster;
  cluster.policy = restart_policy::always;
  constexpr uint64_t vms = 100;
  host_report report{cluster.node_1, cluster.boot, 1, {}, {}};
  auto big = test_cluster::host(cluster.node_1, "node-1");
  big.vcpus = 64;
  big.memory_mib = 1 << 20;
  cluster.run(register_host{big});
  for (uint64_t n = 0; n < vms; ++n) {
    const auto id = test_id<vm_id>(5000 + n);
    cluster.create(id, "vm-" + std::to_string(n), cluster.node_1, 64);
    cluster.request(requested_state::running, id);
    report.vms.push_back({id, {3, 1}, failed, "the guest crashed"});
  }
  cluster.run(report);
  cluster.pass(10s);
  CHECK(cluster.last.changes.size() == 64);
  cluster.pass(1s);
  CHECK(cluster.last.changes.size() == vms - 64);
}
