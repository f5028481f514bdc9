#include "actors/scheduler/placement.hpp"

#include "actors/scheduler/weighers.hpp"

#include <algorithm>
#include <tuple>

namespace novacron {

namespace {

/// A verdict, and what tells equal ones apart.
struct candidate {
  host_verdict verdict;
  size_t passed = 0; ///< filters before the first that refused
  uint64_t free_memory_mib = 0;
  uint64_t capacity_mib = 0;
  uint64_t free_vcpus = 0;
};

uint64_t left_of(uint64_t capacity, uint64_t used) {
  return capacity - std::min(capacity, used);
}

candidate judge(const placement_case& x, bool here) {
  candidate out;
  out.verdict.host = x.host.id;
  out.verdict.name = x.host.name;
  out.verdict.here = here;
  const auto filters = placement_filters();
  out.passed = filters.size();
  for (size_t i = 0; i < filters.size(); ++i) {
    auto why = filters[i].why_not(x);
    if (!why.empty())
      out.passed = std::min(out.passed, i);
    out.verdict.filters.push_back({filters[i].name, std::move(why)});
  }
  out.capacity_mib = memory_capacity_mib(x.host);
  out.free_memory_mib = left_of(out.capacity_mib, x.load.memory_mib);
  out.free_vcpus = left_of(vcpu_capacity(x.host), x.load.vcpus);
  if (out.passed < filters.size())
    return out;
  for (const auto& weigher : placement_weighers()) {
    const auto score = weigher.score(x);
    out.verdict.scores.push_back({weigher.name, score, weigher.weight});
    out.verdict.total += uint64_t{score} * weigher.weight;
  }
  return out;
}

/// A total order: no two hosts are equal.
bool better(const candidate& left, const candidate& right) {
  auto rank = [](const candidate& x) { return std::tuple{x.passed, x.verdict.total}; };
  if (rank(left) != rank(right))
    return rank(left) > rank(right);
  if (left.verdict.fits()) {
    // By the free share of memory; a cross product keeps it exact.
    const auto left_share = left.free_memory_mib * right.capacity_mib;
    const auto right_share = right.free_memory_mib * left.capacity_mib;
    if (left_share != right_share)
      return left_share > right_share;
    if (left.free_vcpus != right.free_vcpus)
      return left.free_vcpus > right.free_vcpus;
  } else if (left.free_memory_mib != right.free_memory_mib) {
    return left.free_memory_mib > right.free_memory_mib;
  }
  return left.verdict.host < right.verdict.host;
}

std::string why_none(const vm_spec& spec, const host_verdict* nearest) {
  auto need = "no host can take a guest of " + std::to_string(spec.memory_mib) + " MiB and "
              + std::to_string(spec.vcpus) + " vcpus: ";
  if (!nearest)
    return need + "there is no other host; add one";
  auto refused
      = std::ranges::find_if(nearest->filters, [](const auto& x) { return !x.why_not.empty(); });
  return need + "host " + nearest->name + ' ' + refused->why_not
         + ", and comes nearest; free or add what is missing";
}

} // namespace

bool host_verdict::fits() const {
  return std::ranges::all_of(filters, [](const auto& x) { return x.why_not.empty(); });
}

placement_plan plan_placement(const placement_state& state, const placement_wish& wish,
                              const promised_loads& promised) {
  const auto source = state.hosts().find(wish.leaves);
  const auto* from = source == state.hosts().end() ? nullptr : &source->second;
  auto has_member = [&](const std::string& group) {
    return state.has_member(group, wish.vm) || std::ranges::any_of(promised, [&](const auto& each) {
             return each.second.groups.contains(group);
           });
  };
  std::vector<candidate> all;
  for (const auto& [id, host] : state.hosts()) {
    if (id == wish.except)
      continue;
    const bool here = id == wish.leaves;
    auto load = state.load_of(id);
    if (auto more = promised.find(id); more != promised.end())
      load.add(more->second);
    if (here)
      load.remove(wish.spec);
    const placement_case x{wish.spec,  host, load, wish.running && !here ? from : nullptr,
                           has_member, true};
    all.push_back(judge(x, here));
  }
  std::ranges::sort(all, better);
  placement_plan plan;
  for (auto& each : all)
    plan.hosts.push_back(std::move(each.verdict));
  auto other = std::ranges::find_if(plan.hosts, [](const auto& x) { return !x.here; });
  if (other != plan.hosts.end() && other->fits())
    plan.chosen = other->host;
  else
    plan.detail = why_none(wish.spec, other == plan.hosts.end() ? nullptr : &*other);
  return plan;
}

} // namespace novacron
