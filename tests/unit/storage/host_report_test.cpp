#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("a report of an unknown host or of another boot is refused") {
  test_cluster cluster;
  CHECK(cluster.run(host_report{test_id<node_id>(9), cluster.boot, 1, {}, {}}).error
        == command_errc::unknown_host);
  cluster.started();
  auto refused = cluster.run(host_report{cluster.node_1,
                                         test_id<boot_id>(99),
                                         1000,
                                         {{cluster.vm, {3, 1}, actual_state::failed, ""}},
                                         {}});
  CHECK(refused.error == command_errc::stale_report);
  CHECK(cluster.the_vm().actual == actual_state::running);
}

TEST_CASE("an observation of another host, epoch or unknown VM is skipped, the others count") {
  test_cluster cluster;
  cluster.create();
  cluster.request(requested_state::running);
  cluster.see_on(cluster.node_2, {3, 1}, actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::starting);
  cluster.see_on(cluster.node_1, {3, 0}, actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::starting);
  CHECK(cluster
            .run(host_report{cluster.node_1,
                             cluster.boot,
                             ++cluster.sequence,
                             {{test_id<vm_id>(77), {3, 1}, actual_state::running, ""},
                              {cluster.vm, {3, 1}, actual_state::running, ""}},
                             {}})
            .ok());
  CHECK(cluster.the_vm().actual == actual_state::running);
}

TEST_CASE("a report that was overtaken is dropped, also if the overtaking one changed nothing") {
  test_cluster cluster;
  cluster.started();
  auto say = [&](uint64_t sequence, actual_state actual) {
    cluster.run(host_report{
        cluster.node_1, cluster.boot, sequence, {{cluster.vm, {3, 1}, actual, ""}}, {}});
  };
  auto revision = cluster.the_vm().revision;
  say(50, actual_state::running);
  CHECK(cluster.last.changes.empty());
  REQUIRE(cluster.last.noted.size() == 1); // written, so that all replicas drop the same
  CHECK(cluster.last.noted[0].seen_sequence == 50);
  CHECK(cluster.the_vm().revision == revision);
  say(49, actual_state::failed);
  CHECK(cluster.the_vm().actual == actual_state::running);
  say(50, actual_state::failed);
  CHECK(cluster.the_vm().actual == actual_state::running);
  say(51, actual_state::failed);
  CHECK(cluster.the_vm().actual == actual_state::failed);
}

TEST_CASE("a host that rebooted counts its reports anew") {
  test_cluster cluster;
  cluster.started();
  auto host = test_cluster::host(cluster.node_1, "node-1");
  host.boot = test_id<boot_id>(101);
  cluster.run(register_host{host});
  cluster.run(host_report{
      cluster.node_1, host.boot, 1, {{cluster.vm, {3, 1}, actual_state::defined, ""}}, {}});
  CHECK(cluster.the_vm().actual == actual_state::failed);
}

TEST_CASE("what was said of an earlier guest is news when it is said of the present one") {
  test_cluster cluster;
  cluster.policy = restart_policy::on_failure;
  cluster.started();
  cluster.reserve();
  cluster.decide(migration_decision::commit);
  cluster.see(actual_state::failed, "the guest ended by itself");
  cluster.decide(migration_decision::return_guest);
  REQUIRE(cluster.the_vm().actual == actual_state::failed);
  REQUIRE(cluster.the_vm().restarts.due == log_time{});
  cluster.see(actual_state::failed, "the guest ended by itself"); // the source's, too
  CHECK(cluster.the_vm().seen_epoch == epoch{3, 3});
  CHECK(cluster.the_vm().restarts.due != log_time{});
}

TEST_CASE("a guest that ends without having been asked to has failed") {
  test_cluster cluster;
  cluster.started();
  cluster.see(actual_state::defined);
  CHECK(cluster.the_vm().actual == actual_state::failed);
  CHECK(cluster.the_vm().reason == "the guest ended by itself");
}

TEST_CASE("while a migration is undecided only the guest's end is seen, and aborts it") {
  test_cluster cluster;
  cluster.started();
  auto migrate = cluster.reserve();
  cluster.see(actual_state::paused);
  cluster.see(actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::migrating);
  cluster.see(actual_state::failed, "the guest crashed");
  CHECK(cluster.the_vm().actual == actual_state::failed);
  CHECK(cluster.the_move().phase == migration_phase::aborted);
  CHECK(cluster.the_move().reason == "the guest ended during the migration");
  CHECK(cluster.became(migrate) == operation_state::running);
  cluster.clean(cluster.node_1);
  CHECK(cluster.error_of(migrate) == "rolled back: the guest ended during the migration");
}

TEST_CASE("a migration that is not decided cannot be clean") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  cluster.clean(cluster.node_1);
  cluster.clean(cluster.node_2);
  CHECK_FALSE(cluster.the_move().source_clean);
  CHECK_FALSE(cluster.the_move().destination_clean);
}

TEST_CASE("saying twice that an end is clean changes nothing") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  cluster.decide(migration_decision::abort);
  cluster.clean(cluster.node_2);
  CHECK_FALSE(cluster.last.changes.empty());
  cluster.clean(cluster.node_2);
  CHECK(cluster.last.changes.empty());
}

TEST_CASE("a VM that is asked to stop stays stopping until its guest is gone") {
  test_cluster cluster;
  cluster.started();
  cluster.request(requested_state::stopped);
  cluster.see(actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::stopping);
}

// -- hosts and leases ------------------------------------------------------------

TEST_CASE("a host that registers is up, and again without news changes nothing") {
  test_cluster cluster;
  CHECK(cluster.state.find(cluster.node_1)->state == host_state::up);
  cluster.run(register_host{test_cluster::host(cluster.node_1, "node-1")});
  CHECK(cluster.last.changes.empty());
  auto moved = test_cluster::host(cluster.node_1, "node-1");
  moved.mesh_address = "10.0.0.7:4000";
  cluster.run(register_host{moved});
  REQUIRE(cluster.last.changes.size() == 1);
  CHECK(cluster.state.find(cluster.node_1)->mesh_address == "10.0.0.7:4000");
  CHECK(cluster.state.find(cluster.node_1)->revision == cluster.index);
}

TEST_CASE("a lease is renewed by the host's boot, not fed, and ends by its number") {
  test_cluster cluster;
  const std::chrono::seconds term{5};
  CHECK(cluster.run(renew_lease{test_id<node_id>(9), cluster.boot, term}).error
        == command_errc::unknown_host);
  CHECK(cluster.run(renew_lease{cluster.node_1, test_id<boot_id>(99), term}).error
        == command_errc::stale_lease);
  auto first = cluster.run(renew_lease{cluster.node_1, cluster.boot, term});
  CHECK(first.lease == lease_record{cluster.node_1, cluster.boot, 1, term, cluster.time, false});
  CHECK(cluster.last.changes.empty());
  CHECK(cluster.last.leases == std::vector{first.lease});
  CHECK(cluster.run(renew_lease{cluster.node_1, cluster.boot, term}).lease.renewal == 2);

  CHECK(cluster.run(expire_lease{cluster.node_1, 1}).error == command_errc::stale_lease);
  CHECK(cluster.run(expire_lease{cluster.node_2, 0}).error == command_errc::stale_lease);
  CHECK(cluster.run(expire_lease{cluster.node_1, 2}).ok());
  CHECK(cluster.state.find(cluster.node_1)->state == host_state::unreachable);
  CHECK(cluster.run(expire_lease{cluster.node_1, 2}).error == command_errc::stale_lease);

  CHECK(cluster.run(renew_lease{cluster.node_1, cluster.boot, term}).lease.renewal == 3);
  CHECK(cluster.state.find(cluster.node_1)->state == host_state::up);
  CHECK(cluster.state.leases().size() == 1);
}
