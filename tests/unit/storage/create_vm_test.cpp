#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE(
    "a created VM is placed, stopped, without permission to run, and its operation has ended") {
  test_cluster cluster;
  auto outcome = cluster.create();
  REQUIRE(outcome.ok());
  CHECK(outcome.vm == cluster.vm);
  CHECK(outcome.revision == cluster.index);
  CHECK(cluster.became(outcome) == operation_state::succeeded);
  const auto& vm = cluster.the_vm();
  CHECK(vm.requested == requested_state::stopped);
  CHECK(vm.actual == actual_state::defined);
  CHECK(vm.epoch == epoch{3, 0});
  CHECK(vm.host == cluster.node_1);
  CHECK(vm.operation.nil());
  CHECK(vm.created == cluster.time);
  CHECK(vm.revision == cluster.index);
  REQUIRE(cluster.last.changes.size() == 2);
  CHECK(cluster.last.changes[0] == change{cluster.index, vm, false});
}

TEST_CASE("a name belongs to one VM until that one is gone") {
  test_cluster cluster;
  cluster.create();
  const auto other = test_id<vm_id>(12);
  auto refused = cluster.create(other);
  CHECK(refused.error == command_errc::name_taken);
  CHECK(refused.detail.find("web-1") != std::string::npos);
  CHECK(cluster.last.changes.empty());
  CHECK(cluster.state.find(other) == nullptr);

  cluster.request(requested_state::deleted);
  CHECK(cluster.create(other).error == command_errc::name_taken);
  cluster.see(actual_state::gone);
  CHECK(cluster.create(other).ok());
}

TEST_CASE("an id is not given to a second VM, and the same create again changes nothing") {
  test_cluster cluster;
  create_vm wish{cluster.vm,
                 "web-1",
                 {1, 1024, "tick", "", restart_policy::never, {}},
                 cluster.node_1,
                 cluster.next_operation()};
  CHECK(cluster.run(wish).ok());
  auto again = cluster.run(wish);
  CHECK(again.ok());
  CHECK(again.repeated);
  CHECK(cluster.last.changes.empty());
  wish.operation = cluster.next_operation();
  wish.name = "web-2";
  CHECK(cluster.run(wish).error == command_errc::name_taken);
}

TEST_CASE("a VM is only placed on a host that is known, up and has its image") {
  test_cluster cluster;
  CHECK(cluster.create(cluster.vm, "a", {}).error == command_errc::unknown_host);
  CHECK(cluster.create(cluster.vm, "a", test_id<node_id>(9)).error == command_errc::unknown_host);
  create_vm wish{cluster.vm,
                 "a",
                 {1, 1024, "windows", "", restart_policy::never, {}},
                 cluster.node_1,
                 cluster.next_operation()};
  auto refused = cluster.run(wish);
  CHECK(refused.error == command_errc::wrong_state);
  CHECK(refused.detail.find("windows") != std::string::npos);
  cluster.run(renew_lease{cluster.node_1, cluster.boot, std::chrono::seconds{5}});
  cluster.run(expire_lease{cluster.node_1, 1});
  refused = cluster.create();
  CHECK(refused.error == command_errc::unknown_host);
  CHECK(refused.detail.find("unreachable") != std::string::npos);
}

TEST_CASE("memory is promised once, and a refusal says what is missing") {
  test_cluster cluster;
  CHECK(cluster.create(cluster.vm, "a", cluster.node_1, 3000).ok());
  auto refused = cluster.create(test_id<vm_id>(12), "b", cluster.node_1, 1097);
  CHECK(refused.error == command_errc::no_capacity);
  CHECK(refused.detail.find("host node-1: needs 1097 MiB, 1096 free of 4096 at overcommit 1.0")
        == 0);
  CHECK(cluster.create(test_id<vm_id>(12), "b", cluster.node_1, 1096).ok());
  CHECK(cluster.create(test_id<vm_id>(13), "c", cluster.node_1, ~0ull).error
        == command_errc::no_capacity);
  // What a deleted VM held is free once its host has confirmed.
  cluster.request(requested_state::deleted);
  CHECK(cluster.create(test_id<vm_id>(13), "c", cluster.node_1, 3000).error
        == command_errc::no_capacity);
  cluster.see(actual_state::gone);
  CHECK(cluster.create(test_id<vm_id>(13), "c", cluster.node_1, 3000).ok());
}

TEST_CASE("eight virtual processors are promised for each real one") {
  test_cluster cluster;
  create_vm wish{cluster.vm,
                 "a",
                 {32, 64, "tick", "", restart_policy::never, {}},
                 cluster.node_1,
                 cluster.next_operation()};
  CHECK(cluster.run(wish).ok());
  CHECK(cluster.create(test_id<vm_id>(12), "b", cluster.node_1, 64).error
        == command_errc::no_capacity);
}
