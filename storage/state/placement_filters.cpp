#include "storage/state/placement_filters.hpp"

#include <algorithm>
#include <array>

namespace novacron {

namespace {

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

/// As in "1.0" or "1.25".
std::string factor(uint32_t percent) {
  auto digits = std::to_string(percent % 100);
  if (digits.size() < 2)
    digits.insert(0, "0");
  if (digits.back() == '0')
    digits.pop_back();
  return std::to_string(percent / 100) + '.' + digits;
}

std::string shortage(uint64_t wanted, uint64_t capacity, uint64_t used, const std::string& unit,
                     uint32_t percent) {
  const auto left = capacity - std::min(capacity, used);
  if (wanted <= left)
    return {};
  return "needs " + std::to_string(wanted) + ' ' + unit + ", " + std::to_string(left) + " free of "
         + std::to_string(capacity) + " at overcommit " + factor(percent);
}

bool has(const std::map<std::string, uint32_t>& counts, const std::string& group) {
  return counts.contains(group);
}

// -- the filters -------------------------------------------------------------------

std::string state(const placement_case& x) {
  return x.host.state == host_state::up ? std::string{} : "is " + to_string(x.host.state);
}

std::string live_migration(const placement_case& x) {
  if (!x.leaves)
    return {};
  if (!x.leaves->live_migration_problem.empty())
    return "the guest can't leave host " + x.leaves->name + ": " + x.leaves->live_migration_problem;
  return x.host.live_migration_problem.empty()
             ? std::string{}
             : "can't take part: " + x.host.live_migration_problem;
}

std::string cpu(const placement_case& x) {
  if (!x.leaves || !x.compares_cpus)
    return {};
  if (x.leaves->accelerator != x.host.accelerator)
    return "runs guests by " + x.host.accelerator + ", the guest runs by " + x.leaves->accelerator;
  for (const auto& feature : x.leaves->cpu_features)
    if (!std::ranges::binary_search(x.host.cpu_features, feature))
      return "its CPU has no " + feature + ", which the guest may use on " + x.leaves->name;
  return {};
}

std::string image(const placement_case& x) {
  return std::ranges::find(x.host.images, x.spec.image) != x.host.images.end()
             ? std::string{}
             : "has no image " + quoted(x.spec.image);
}

std::string networks(const placement_case& x) {
  for (const auto& network : x.spec.networks)
    if (std::ranges::find(x.host.networks, network) == x.host.networks.end())
      return "has no network " + quoted(network);
  return {};
}

std::string labels(const placement_case& x) {
  for (const auto& [key, value] : x.spec.placement.required_labels) {
    auto at = x.host.labels.find(key);
    if (at == x.host.labels.end())
      return "has no label " + key + ", " + quoted(value) + " is required";
    if (at->second != value)
      return "its label " + key + " is " + quoted(at->second) + ", " + quoted(value)
             + " is required";
  }
  return {};
}

std::string affinity(const placement_case& x) {
  const auto& own = x.spec.placement.groups;
  for (const auto& group : x.spec.placement.required_affinity) {
    if (has(x.load.groups, group))
      continue;
    // The first of a group that wants to be together has nobody to be with.
    const bool first = std::ranges::binary_search(own, group) && !x.has_member(group);
    if (!first)
      return "has no VM of group " + quoted(group) + ", beside which this one must be";
  }
  return {};
}

std::string anti_affinity(const placement_case& x) {
  for (const auto& group : x.spec.placement.required_anti_affinity)
    if (has(x.load.groups, group))
      return "has a VM of group " + quoted(group) + ", beside which this one must not be";
  for (const auto& group : x.spec.placement.groups)
    if (has(x.load.refused, group))
      return "has a VM that must not be beside group " + quoted(group);
  return {};
}

std::string memory(const placement_case& x) {
  return shortage(x.spec.memory_mib, memory_capacity_mib(x.host), x.load.memory_mib, "MiB",
                  x.host.memory_overcommit_percent);
}

std::string vcpus(const placement_case& x) {
  return shortage(x.spec.vcpus, vcpu_capacity(x.host), x.load.vcpus, "vcpus",
                  x.host.vcpu_overcommit_percent);
}

constexpr std::array filters{
    placement_filter{"state", command_errc::unknown_host, state},
    placement_filter{"live migration", command_errc::wrong_state, live_migration},
    placement_filter{"cpu", command_errc::wrong_state, cpu},
    placement_filter{"image", command_errc::wrong_state, image},
    placement_filter{"networks", command_errc::wrong_state, networks},
    placement_filter{"labels", command_errc::rule_broken, labels},
    placement_filter{"affinity", command_errc::rule_broken, affinity},
    placement_filter{"anti-affinity", command_errc::rule_broken, anti_affinity},
    placement_filter{"memory", command_errc::no_capacity, memory},
    placement_filter{"vcpus", command_errc::no_capacity, vcpus},
};

} // namespace

std::span<const placement_filter> placement_filters() {
  return filters;
}

std::optional<placement_refusal> first_refusal(const placement_case& x) {
  for (const auto& filter : filters)
    if (auto why = filter.why_not(x); !why.empty())
      return placement_refusal{&filter, std::move(why)};
  return std::nullopt;
}

} // namespace novacron
