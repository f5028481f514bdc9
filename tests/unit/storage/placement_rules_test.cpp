#include "storage/state/placement_filters.hpp"
#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr auto node_3 = test_id<node_id>(3);

/// A cluster whose hosts have labels, and creates that have rules.
struct ruled_cluster : test_cluster {
  ruled_cluster() {
    auto ssd = host(node_1, "node-1");
    ssd.labels = {{"disk", "ssd"}, {"zone", "a"}};
    run(register_host{ssd});
    auto plain = host(node_2, "node-2");
    plain.labels = {{"disk", "hdd"}};
    run(register_host{plain});
    run(register_host{host(node_3, "node-3")});
  }

  command_outcome place(uint64_t n, node_id on, placement_rules rules) {
    create_vm x;
    x.vm = test_id<vm_id>(n);
    x.name = "vm-" + std::to_string(n);
    x.spec.memory_mib = 64;
    x.spec.image = "tick";
    x.spec.placement = std::move(rules);
    x.host = on;
    return run(x);
  }

  void runs(uint64_t n) {
    request(requested_state::running, test_id<vm_id>(n));
    see(actual_state::running, {}, test_id<vm_id>(n));
  }

  command_outcome move_to(uint64_t n, node_id to) {
    return run(reserve_migration{test_id<migration_id>(900 + n), test_id<vm_id>(n), to, 0, {}});
  }
};

placement_rules groups(std::vector<std::string> of) {
  placement_rules rules;
  rules.groups = std::move(of);
  return rules;
}

bool mentions(const command_outcome& outcome, const std::string& part) {
  return outcome.detail.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a required label must be the host's, and the refusal names both values") {
  ruled_cluster cluster;
  placement_rules rules;
  rules.required_labels = {{"disk", "ssd"}};
  auto refused = cluster.place(1, cluster.node_2, rules);
  CHECK(refused.error == command_errc::rule_broken);
  CHECK(mentions(refused, "host node-2: its label disk is \"hdd\", \"ssd\" is required"));
  CHECK(mentions(cluster.place(1, node_3, rules), "has no label disk"));
  CHECK(cluster.place(1, cluster.node_1, rules).ok());
}

TEST_CASE("two creates at once don't put VMs that must be apart on one host") {
  ruled_cluster cluster;
  auto rules = groups({"db"});
  rules.required_anti_affinity = {"db"};
  create_vm first;
  first.vm = test_id<vm_id>(1);
  first.name = "db-1";
  first.spec.memory_mib = 64;
  first.spec.image = "tick";
  first.spec.placement = rules;
  first.host = cluster.node_1;
  auto second = first;
  second.vm = test_id<vm_id>(2);
  second.name = "db-2";
  const auto& done = cluster.apply({{first, {}}, {second, {}}});
  CHECK(done.outcomes.at(0).ok());
  CHECK(done.outcomes.at(1).error == command_errc::rule_broken);
  CHECK(mentions(done.outcomes.at(1), "beside which this one must not be"));
}

TEST_CASE("a VM that wants to be apart keeps later ones away, which don't ask for it themselves") {
  ruled_cluster cluster;
  placement_rules shy;
  shy.required_anti_affinity = {"batch"};
  CHECK(cluster.place(1, cluster.node_1, shy).ok());
  auto refused = cluster.place(2, cluster.node_1, groups({"batch"}));
  CHECK(refused.error == command_errc::rule_broken);
  CHECK(mentions(refused, "must not be beside group \"batch\""));
  CHECK(cluster.place(2, cluster.node_2, groups({"batch"})).ok());
  // Once it is gone its wish is, too.
  cluster.request(requested_state::deleted, test_id<vm_id>(1));
  cluster.see(actual_state::gone, {}, test_id<vm_id>(1));
  CHECK(cluster.place(3, cluster.node_1, groups({"batch"})).ok());
}

TEST_CASE("VMs that must be together go where the first one went") {
  ruled_cluster cluster;
  auto rules = groups({"app"});
  rules.required_affinity = {"app"};
  CHECK(cluster.place(1, cluster.node_2, rules).ok());
  CHECK(cluster.place(2, cluster.node_1, rules).error == command_errc::rule_broken);
  CHECK(cluster.place(2, cluster.node_2, rules).ok());
  // One that isn't of the group itself is never the first.
  placement_rules guest;
  guest.required_affinity = {"nobody"};
  CHECK(cluster.place(3, cluster.node_2, guest).error == command_errc::rule_broken);
}

TEST_CASE("a migration obeys the rules, and doesn't stumble over the VM itself") {
  ruled_cluster cluster;
  auto alone = groups({"app"});
  alone.required_affinity = {"app"};
  REQUIRE(cluster.place(1, cluster.node_1, alone).ok());
  cluster.runs(1);
  CHECK(cluster.move_to(1, cluster.node_2).ok());

  auto apart = groups({"db"});
  apart.required_anti_affinity = {"db"};
  REQUIRE(cluster.place(2, cluster.node_1, apart).ok());
  REQUIRE(cluster.place(3, cluster.node_2, apart).ok());
  cluster.runs(2);
  CHECK(cluster.move_to(2, cluster.node_2).error == command_errc::rule_broken);
  CHECK(cluster.move_to(2, node_3).ok());
  // While it is on its way it counts at both ends.
  CHECK(cluster.place(4, node_3, apart).error == command_errc::rule_broken);
  CHECK(cluster.place(4, cluster.node_1, apart).error == command_errc::rule_broken);
}

TEST_CASE("a running guest moves only to a CPU that has all it may use") {
  test_cluster cluster;
  auto source = cluster.host(cluster.node_1, "node-1");
  source.accelerator = "kvm";
  source.cpu_features = {"aes", "avx2"};
  auto older = cluster.host(cluster.node_2, "node-2");
  older.accelerator = "kvm";
  older.cpu_features = {"aes"};
  cluster.run(register_host{source});
  cluster.run(register_host{older});
  cluster.started();
  auto refused = cluster.reserve();
  CHECK(refused.error == command_errc::wrong_state);
  CHECK(mentions(refused, "its CPU has no avx2, which the guest may use on node-1"));
  SUBCASE("it has it after all, and more") {
    older.cpu_features = {"aes", "avx2", "avx512f"};
    cluster.run(register_host{older});
    CHECK(cluster.reserve().ok());
  }
  SUBCASE("another accelerator runs other guests") {
    older.cpu_features = source.cpu_features;
    older.accelerator = "tcg";
    cluster.run(register_host{older});
    CHECK(mentions(cluster.reserve(), "runs guests by tcg, the guest runs by kvm"));
  }
  SUBCASE("the log of before version 3 is applied as it was") {
    cluster.version = 2;
    CHECK(cluster.reserve().ok());
  }
}

TEST_CASE("a host promises as much as its overcommit allows") {
  test_cluster cluster;
  auto host = cluster.host(cluster.node_1, "node-1");
  host.memory_overcommit_percent = 150;
  host.vcpu_overcommit_percent = 100;
  cluster.run(register_host{host});
  CHECK(cluster.create(test_id<vm_id>(1), "a", cluster.node_1, 6000).ok());
  auto refused = cluster.create(test_id<vm_id>(2), "b", cluster.node_1, 200);
  CHECK(refused.error == command_errc::no_capacity);
  CHECK(mentions(refused, "needs 200 MiB, 144 free of 6144 at overcommit 1.5"));
  for (uint64_t n = 3; n < 6; ++n)
    CHECK(cluster.create(test_id<vm_id>(n), "c-" + std::to_string(n), cluster.node_1, 16).ok());
  CHECK(mentions(cluster.create(test_id<vm_id>(9), "d", cluster.node_1, 16),
                 "needs 1 vcpus, 0 free of 4 at overcommit 1.0"));
}

TEST_CASE("a VM is only placed, and moved, where all of its networks are") {
  test_cluster cluster;
  auto both = cluster.host(cluster.node_1, "node-1");
  both.networks = {"dmz", "lan"};
  cluster.run(register_host{both});
  auto one = cluster.host(cluster.node_2, "node-2");
  one.networks = {"lan"};
  cluster.run(register_host{one});
  create_vm x;
  x.vm = cluster.vm;
  x.name = "edge-1";
  x.spec.image = "tick";
  x.spec.networks = {"dmz", "lan"};
  x.host = cluster.node_2;
  const auto refused = cluster.run(x);
  CHECK(refused.error == command_errc::wrong_state);
  CHECK(mentions(refused, "host node-2: has no network \"dmz\""));
  x.host = cluster.node_1;
  CHECK(cluster.run(x).ok());
  cluster.request(requested_state::running);
  cluster.see(actual_state::running);
  CHECK(mentions(cluster.reserve(), "has no network \"dmz\""));
  cluster.run(register_host{[&] {
    one.networks = both.networks;
    return one;
  }()});
  CHECK(cluster.reserve().ok());
}

TEST_CASE("a host's networks are kept once all programs of the cluster know them") {
  test_cluster cluster;
  auto host = cluster.host(cluster.node_1, "node-1");
  host.networks = {"lan"};
  cluster.version = networks_since - 1;
  cluster.run(register_host{host});
  CHECK(cluster.state.find(cluster.node_1)->networks.empty());
  cluster.version = networks_since;
  cluster.run(register_host{host});
  CHECK(cluster.state.find(cluster.node_1)->networks == host.networks);
}
