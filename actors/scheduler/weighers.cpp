#include "actors/scheduler/weighers.hpp"

#include <algorithm>
#include <array>

namespace novacron {

namespace {

constexpr uint32_t best = 1000;

uint32_t share(uint64_t part, uint64_t whole) {
  return whole == 0 ? best : static_cast<uint32_t>(std::min(part, whole) * best / whole);
}

/// What is free once the VM is there.
uint32_t free_memory(const placement_case& x) {
  const auto capacity = memory_capacity_mib(x.host);
  return share(capacity - std::min(capacity, x.load.memory_mib + x.spec.memory_mib), capacity);
}

uint32_t free_vcpus(const placement_case& x) {
  const auto capacity = vcpu_capacity(x.host);
  return share(capacity - std::min(capacity, x.load.vcpus + x.spec.vcpus), capacity);
}

uint32_t labels(const placement_case& x) {
  const auto& wanted = x.spec.placement.preferred_labels;
  auto there = std::ranges::count_if(wanted, [&](const auto& label) {
    auto at = x.host.labels.find(label.first);
    return at != x.host.labels.end() && at->second == label.second;
  });
  return share(static_cast<uint64_t>(there), wanted.size());
}

uint64_t present(const std::vector<std::string>& groups, const host_load& load) {
  return static_cast<uint64_t>(std::ranges::count_if(
      groups, [&](const auto& group) { return load.groups.contains(group); }));
}

uint32_t affinity(const placement_case& x) {
  const auto& wanted = x.spec.placement.preferred_affinity;
  return share(present(wanted, x.load), wanted.size());
}

uint32_t anti_affinity(const placement_case& x) {
  const auto& unwanted = x.spec.placement.preferred_anti_affinity;
  return share(unwanted.size() - present(unwanted, x.load), unwanted.size());
}

constexpr std::array weighers{
    placement_weigher{"free memory", 2, free_memory},
    placement_weigher{"free vcpus", 1, free_vcpus},
    placement_weigher{"labels", 4, labels},
    placement_weigher{"affinity", 4, affinity},
    placement_weigher{"anti-affinity", 4, anti_affinity},
};

} // namespace

std::span<const placement_weigher> placement_weighers() {
  return weighers;
}

} // namespace novacron
