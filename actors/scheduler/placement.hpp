#pragma once

#include "actors/scheduler/placement_state.hpp"
#include "storage/state/placement_filters.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// What is to be placed.
struct placement_wish {
  vm_id vm; ///< one that is there already, or nil
  const vm_spec& spec;
  node_id except;       ///< not there; nil: anywhere
  node_id leaves;       ///< the host that it is on; nil: none
  bool running = false; ///< its guest must be brought from `leaves` while it runs
};

/// What one filter said of one host.
struct filter_verdict {
  std::string_view filter;
  std::string why_not; ///< empty: passed
};

/// What one weigher said of one host: 0 (worst) to 1000 (best), and how much it counts.
struct weigher_verdict {
  std::string_view weigher;
  uint32_t score = 0;
  uint32_t weight = 0;
};

/// Why a host may have a VM or may not, and how gladly.
struct host_verdict {
  node_id host;
  std::string name;
  bool here = false; ///< the VM is on it already
  std::vector<filter_verdict> filters;
  std::vector<weigher_verdict> scores; ///< empty if a filter refused
  uint64_t total = 0;                  ///< sum of score × weight

  [[nodiscard]] bool fits() const;
};

/// A choice, and why.
struct placement_plan {
  std::vector<host_verdict> hosts; ///< best first; those that don't fit last, the nearest first
  node_id chosen;                  ///< nil: none fits
  std::string detail;              ///< why none fits
};

/// Further load of hosts that `state` doesn't show yet.
using promised_loads = std::map<node_id, host_load>;

/// Judges all hosts: filters first, then weighers; among equals the smallest id
/// is chosen. The host that the VM is on is judged, too, but never chosen.
///
/// Pure and deterministic: equal arguments give equal plans.
placement_plan plan_placement(const placement_state& state, const placement_wish& wish,
                              const promised_loads& promised = {});

} // namespace novacron
