#include "actors/scheduler/rebalance.hpp"
#include "placement_records.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

placement_state three_hosts(const std::vector<vm_record>& vms) {
  placement_state state;
  for (uint64_t n = 1; n <= 3; ++n)
    state.put(placing_host(n, 10'000));
  for (const auto& each : vms)
    state.put(each);
  return state;
}

} // namespace

TEST_CASE("hosts that are loaded alike enough are left alone") {
  const auto plan = plan_rebalance(
      three_hosts({placed_vm(1, 1, 3'000), placed_vm(2, 2, 2'000), placed_vm(3, 3, 2'000)}),
      {4, 200});
  CHECK(plan.steps.empty());
  CHECK(plan.spread == 100);
  CHECK(plan.before == plan.after);
}

TEST_CASE("a round moves guests from the most loaded host until loads are alike enough") {
  const auto plan = plan_rebalance(three_hosts({placed_vm(1, 1, 3'000), placed_vm(2, 1, 3'000),
                                                placed_vm(3, 1, 2'000), placed_vm(4, 2, 1'000)}),
                                   {4, 200});
  CHECK(plan.spread == 800);
  REQUIRE(plan.steps.size() == 2);
  CHECK(plan.steps[0].from == placed_host_id(1));
  CHECK(plan.steps[0].to == placed_host_id(3));
  CHECK(plan.steps.back().spread <= 200);
  CHECK(plan.after.at(placed_host_id(1)) == 300);
}

TEST_CASE("a round makes no more moves than it may, the most useful ones first") {
  std::vector<vm_record> vms;
  for (uint64_t n = 1; n <= 8; ++n)
    vms.push_back(placed_vm(n, 1, 1'000));
  const auto plan = plan_rebalance(three_hosts(vms), {2, 50});
  REQUIRE(plan.steps.size() == 2);
  CHECK(plan.steps[0].to != plan.steps[1].to); // the emptiest each time
}

TEST_CASE("no move is proposed that only swaps the roles of two hosts") {
  const auto plan = plan_rebalance(three_hosts({placed_vm(1, 1, 9'000)}), {4, 100});
  CHECK(plan.spread == 900);
  CHECK(plan.steps.empty());
}

TEST_CASE("a move is proposed only where every filter lets the VM go") {
  auto tied = placed_vm(1, 1, 4'000);
  tied.spec.placement.groups = {"db"};
  tied.spec.placement.required_anti_affinity = {"db"};
  auto neighbour = placed_vm(2, 2, 500);
  neighbour.spec.placement.groups = {"db"};
  auto state = three_hosts({tied, neighbour, placed_vm(3, 1, 4'000)});
  auto closed = placing_host(3, 10'000);
  closed.state = host_state::cordoned;
  closed.revision = 2;
  state.put(closed);
  const auto plan = plan_rebalance(state, {4, 200});
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].vm == placed_vm_id(3));
  CHECK(plan.steps[0].to == placed_host_id(2));
  CHECK(!plan.before.contains(placed_host_id(3)));
}

TEST_CASE("guests that are paused, starting or on their way stay where they are") {
  auto paused = placed_vm(1, 1, 4'000);
  paused.actual = actual_state::paused;
  paused.requested = requested_state::paused;
  auto moving = placed_vm(2, 1, 4'000);
  moving.migration = {{9, 9}};
  CHECK(plan_rebalance(three_hosts({paused, moving}), {4, 100}).steps.empty());
}

TEST_CASE("a second round after the first proposes nothing that undoes it") {
  std::vector<vm_record> vms;
  for (uint64_t n = 1; n <= 9; ++n)
    vms.push_back(placed_vm(n, 1, 500 + 100 * (n % 4)));
  auto state = three_hosts(vms);
  for (int round = 0; round < 10; ++round) {
    const auto plan = plan_rebalance(state, {3, 10});
    if (plan.steps.empty())
      break;
    for (const auto& step : plan.steps) {
      auto moved = *state.find(step.vm);
      CHECK(moved.host == step.from);
      moved.host = step.to;
      ++moved.revision;
      state.put(moved);
    }
    CHECK(round < 5);
  }
  CHECK(plan_rebalance(state, {3, 10}).steps.empty());
}
