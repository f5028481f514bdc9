#include "actors/scheduler/placement.hpp"
#include "actors/scheduler/weighers.hpp"
#include "placement_records.hpp"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <random>

using namespace novacron;

namespace {

placement_state state_of(const std::vector<any_record>& records) {
  placement_state state;
  for (const auto& each : records)
    state.put(each);
  return state;
}

vm_spec spec_of(uint64_t memory_mib = 1'024) {
  vm_spec spec;
  spec.memory_mib = memory_mib;
  spec.image = "tick";
  return spec;
}

placement_plan plan_for(const placement_state& state, const vm_spec& spec) {
  return plan_placement(state, {{}, spec, {}, {}, false});
}

const host_verdict& verdict(const placement_plan& plan, uint64_t host) {
  for (const auto& each : plan.hosts)
    if (each.host == placed_host_id(host))
      return each;
  FAIL("no such host in the plan");
  return plan.hosts.front();
}

std::string why(const placement_plan& plan, uint64_t host, std::string_view filter) {
  for (const auto& each : verdict(plan, host).filters)
    if (each.filter == filter)
      return each.why_not;
  FAIL("no such filter");
  return {};
}

uint32_t score(const placement_plan& plan, uint64_t host, std::string_view weigher) {
  for (const auto& each : verdict(plan, host).scores)
    if (each.weigher == weigher)
      return each.score;
  FAIL("no such weigher, or the host doesn't fit");
  return 0;
}

/// Arbitrary hosts, VMs and migrations, with rules that touch one another.
class random_cluster {
public:
  explicit random_cluster(uint64_t seed) : engine_{seed} {
    for (uint64_t n = 1; n <= 5; ++n) {
      auto host = placing_host(n, 1'024 * (1 + below(8)), static_cast<uint32_t>(1 + below(4)));
      if (below(6) == 0)
        host.state = static_cast<host_state>(below(8));
      if (below(5) == 0)
        host.images = {"other"};
      if (below(3) == 0)
        host.labels["disk"] = below(2) == 0 ? "ssd" : "hdd";
      host.memory_overcommit_percent = 100 + static_cast<uint32_t>(below(2) * 50);
      records.emplace_back(host);
    }
    for (uint64_t n = 1; n <= 12; ++n) {
      auto vm = placed_vm(n, 1 + below(5), 128 * (1 + below(8)));
      vm.spec.placement = rules();
      if (below(8) == 0)
        vm.actual = static_cast<actual_state>(below(9));
      records.emplace_back(vm);
      if (below(4) != 0)
        continue;
      migration_record migration;
      migration.id = {{2, n}};
      migration.vm = vm.id;
      migration.from = vm.host;
      migration.to = placed_host_id(1 + below(5));
      migration.phase = static_cast<migration_phase>(below(7));
      records.emplace_back(migration);
    }
    spec = spec_of(128 * (1 + below(16)));
    spec.placement = rules();
  }

  void shuffle() { std::shuffle(records.begin(), records.end(), engine_); }

  std::vector<any_record> records;
  vm_spec spec;

private:
  uint64_t below(uint64_t end) { return engine_() % end; }

  std::vector<std::string> some() {
    std::vector<std::string> out;
    for (auto word : {"app", "db", "web"})
      if (below(4) == 0)
        out.emplace_back(word);
    return out;
  }

  placement_rules rules() {
    placement_rules out;
    out.groups = some();
    if (below(4) == 0)
      out.required_labels["disk"] = "ssd";
    out.preferred_labels["disk"] = "hdd";
    out.required_affinity = below(3) == 0 ? some() : std::vector<std::string>{};
    out.preferred_affinity = some();
    out.required_anti_affinity = some();
    out.preferred_anti_affinity = some();
    return out;
  }

  std::mt19937_64 engine_;
};

} // namespace

TEST_CASE("the order of records doesn't matter, and no host is chosen that a filter refuses") {
  uint64_t chosen = 0;
  uint64_t refused = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    random_cluster cluster{seed};
    const auto plan = plan_for(state_of(cluster.records), cluster.spec);
    REQUIRE(plan.hosts.size() == 5);
    REQUIRE(plan_for(state_of(cluster.records), cluster.spec).chosen == plan.chosen);
    for (int i = 0; i < 5; ++i) {
      cluster.shuffle();
      const auto again = plan_for(state_of(cluster.records), cluster.spec);
      REQUIRE(again.chosen == plan.chosen);
      REQUIRE(again.detail == plan.detail);
      for (size_t k = 0; k < plan.hosts.size(); ++k) {
        REQUIRE(again.hosts[k].host == plan.hosts[k].host);
        REQUIRE(again.hosts[k].total == plan.hosts[k].total);
      }
    }
    const bool any = std::ranges::any_of(plan.hosts, [](const auto& x) { return x.fits(); });
    REQUIRE(any == !plan.chosen.nil());
    for (const auto& host : plan.hosts) {
      REQUIRE(host.scores.empty() == !host.fits());
      if (host.host == plan.chosen)
        REQUIRE(host.fits());
      if (host.fits())
        REQUIRE(host.total <= plan.hosts.front().total);
    }
    chosen += any;
    refused += !any;
    if (!any)
      REQUIRE(plan.detail.find("and comes nearest") != std::string::npos);
  }
  CHECK(chosen > 50);
  CHECK(refused > 50);
}

TEST_CASE("records that come one by one, change and go leave what a fresh listing gives") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    random_cluster before{seed};
    random_cluster after{seed + 1'000};
    auto state = state_of(before.records);
    for (auto& each : after.records)
      std::visit([](auto& x) { x.revision = 2; }, each);
    for (const auto& each : before.records)
      if (std::holds_alternative<migration_record>(each))
        state.remove(each);
    for (const auto& each : after.records)
      state.put(each);
    const auto fresh = state_of(after.records);
    for (uint64_t n = 1; n <= 5; ++n)
      REQUIRE(state.load_of(placed_host_id(n)) == fresh.load_of(placed_host_id(n)));
    for (auto group : {"app", "db", "web"})
      REQUIRE(state.has_member(group, {}) == fresh.has_member(group, {}));
  }
}

TEST_CASE("each host is told what is missing on it, by each filter") {
  auto cordoned = placing_host(1, 2'048);
  cordoned.state = host_state::cordoned;
  cordoned.images = {};
  auto small = placing_host(2, 1'024);
  small.memory_overcommit_percent = 125;
  const auto plan = plan_for(state_of({cordoned, small}), spec_of(4'096));
  CHECK(plan.chosen.nil());
  CHECK(why(plan, 1, "state") == "is cordoned");
  CHECK(why(plan, 1, "image") == "has no image \"tick\"");
  CHECK(why(plan, 1, "memory") == "needs 4096 MiB, 2048 free of 2048 at overcommit 1.0");
  CHECK(why(plan, 1, "vcpus").empty());
  CHECK(why(plan, 2, "memory") == "needs 4096 MiB, 1280 free of 1280 at overcommit 1.25");
  CHECK(plan.hosts.front().host == placed_host_id(2)); // it came further
  CHECK(plan.detail
        == "no host can take a guest of 4096 MiB and 1 vcpus: host node-2 needs 4096 MiB, 1280 "
           "free of 1280 at overcommit 1.25, and comes nearest; free or add what is missing");
}

TEST_CASE("what a VM prefers outweighs how loaded hosts are") {
  auto full = placing_host(1);
  full.labels = {{"disk", "ssd"}};
  const auto load = placed_vm(1, 1, 6'144);
  const auto records = std::vector<any_record>{full, placing_host(2), load};
  auto spec = spec_of();
  CHECK(plan_for(state_of(records), spec).chosen == placed_host_id(2));
  spec.placement.preferred_labels = {{"disk", "ssd"}};
  const auto plan = plan_for(state_of(records), spec);
  CHECK(plan.chosen == placed_host_id(1));
  CHECK(score(plan, 1, "labels") == 1'000);
  CHECK(score(plan, 2, "labels") == 0);
  CHECK(score(plan, 1, "free memory") == 125);
}

TEST_CASE("preferred groups draw a VM near, and push it away") {
  auto db = placed_vm(1, 1, 512);
  db.spec.placement.groups = {"db"};
  const auto records = std::vector<any_record>{placing_host(1), placing_host(2), db};
  auto spec = spec_of(512);
  spec.placement.preferred_affinity = {"db"};
  CHECK(plan_for(state_of(records), spec).chosen == placed_host_id(1));
  spec.placement.preferred_affinity = {};
  spec.placement.preferred_anti_affinity = {"db"};
  CHECK(plan_for(state_of(records), spec).chosen == placed_host_id(2));
}

TEST_CASE("the host that a VM is on is judged without the VM itself, and never chosen") {
  auto vm = placed_vm(1, 1, 8'192); // it fills its host
  vm.spec.placement.groups = {"db"};
  vm.spec.placement.required_anti_affinity = {"db"};
  auto source = placing_host(1);
  source.live_migration_problem = "it has none";
  const auto state = state_of({source, placing_host(2), vm});
  const auto plan = plan_placement(state, {vm.id, vm.spec, {}, vm.host, true});
  CHECK(verdict(plan, 1).here);
  CHECK(verdict(plan, 1).fits());
  CHECK(plan.chosen.nil());
  CHECK(why(plan, 2, "live migration") == "the guest can't leave host node-1: it has none");
  const auto stopped = plan_placement(state, {vm.id, vm.spec, {}, vm.host, false});
  CHECK(stopped.chosen == placed_host_id(2));
}

TEST_CASE("a CPU that lacks what the guest may use is refused, and named") {
  auto source = placing_host(1);
  source.cpu_features = {"aes", "avx2"};
  auto poor = placing_host(2);
  poor.cpu_features = {"aes"};
  auto other = placing_host(3);
  other.accelerator = "tcg";
  const auto vm = placed_vm(1, 1);
  const auto state = state_of({source, poor, other, vm});
  const auto plan = plan_placement(state, {vm.id, vm.spec, {}, vm.host, true});
  CHECK(why(plan, 2, "cpu") == "its CPU has no avx2, which the guest may use on node-1");
  CHECK(why(plan, 3, "cpu") == "runs guests by tcg, the guest runs by kvm");
  CHECK(why(plan, 1, "cpu").empty());
}
