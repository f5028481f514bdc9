#include "actors/scheduler/rebalance.hpp"

#include "storage/state/placement_filters.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <tuple>

namespace novacron {

namespace {

constexpr uint64_t whole = 1'000'000;

/// Promised memory of each host that is up, in millionths of what it may promise.
using host_shares = std::map<node_id, uint64_t>;

uint64_t share_of(uint64_t used_mib, const host_record& host) {
  return used_mib * whole / std::max<uint64_t>(memory_capacity_mib(host), 1);
}

host_shares shares_of(const placement_state& state) {
  host_shares out;
  for (const auto& [id, host] : state.hosts())
    if (host.state == host_state::up)
      out[id] = share_of(state.load_of(id).memory_mib, host);
  return out;
}

uint32_t spread_of(const host_shares& shares) {
  if (shares.empty())
    return 0;
  auto [least, most] = std::ranges::minmax(shares | std::views::values);
  return static_cast<uint32_t>((most - least) / 1000);
}

std::map<node_id, uint32_t> thousandths(const host_shares& shares) {
  std::map<node_id, uint32_t> out;
  for (const auto& [id, share] : shares)
    out[id] = static_cast<uint32_t>(share / 1000);
  return out;
}

uint64_t square(uint64_t x) {
  return x * x;
}

struct candidate {
  uint64_t squares = 0; ///< of the two hosts, after the move
  uint64_t memory_mib = 0;
  vm_id vm;
  node_id to;

  auto operator<=>(const candidate&) const = default;
};

bool may_move(const placement_state& state, const vm_record& vm, node_id to) {
  const auto& host = state.hosts().at(to);
  const auto load = state.load_of(to);
  return !first_refusal({vm.spec, host, load, &state.hosts().at(vm.host),
                         [&](const std::string& group) { return state.has_member(group, vm.id); },
                         true});
}

std::optional<rebalance_step> best_step(const placement_state& state, const host_shares& shares) {
  auto most = std::ranges::max_element(shares, {}, [](const auto& x) { return x.second; });
  if (most == shares.end())
    return std::nullopt;
  const auto from = most->first;
  const auto& source = state.hosts().at(from);
  const auto used = state.load_of(from).memory_mib;
  std::vector<candidate> all;
  for (const auto& [id, vm] : state.vms()) {
    if (vm.host != from || vm.actual != actual_state::running
        || vm.requested != requested_state::running || !vm.migration.nil())
      continue;
    for (const auto& [to, share] : shares) {
      if (to == from)
        continue;
      const auto memory = vm.spec.memory_mib;
      const auto here = share_of(used - memory, source);
      const auto there = share_of(state.load_of(to).memory_mib + memory, state.hosts().at(to));
      const auto squares = square(here) + square(there);
      if (squares < square(most->second) + square(share))
        all.push_back({squares - square(share), memory, id, to});
    }
  }
  std::ranges::sort(all);
  for (const auto& each : all)
    if (may_move(state, *state.find(each.vm), each.to))
      return rebalance_step{each.vm, from, each.to, 0};
  return std::nullopt;
}

} // namespace

rebalance_plan plan_rebalance(placement_state state, rebalance_limits limits) {
  rebalance_plan plan;
  auto shares = shares_of(state);
  plan.spread = spread_of(shares);
  plan.before = thousandths(shares);
  while (plan.steps.size() < limits.most_moves && spread_of(shares) > limits.most_spread) {
    auto step = best_step(state, shares);
    if (!step)
      break;
    auto moved = *state.find(step->vm);
    moved.host = step->to;
    ++moved.revision;
    state.put(moved);
    shares = shares_of(state);
    step->spread = spread_of(shares);
    plan.steps.push_back(*step);
  }
  plan.after = thousandths(shares);
  return plan;
}

} // namespace novacron
