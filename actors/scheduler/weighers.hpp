#pragma once

#include "storage/state/placement_filters.hpp"

#include <span>
#include <string_view>

namespace novacron {

/// One thing that makes a host that fits better than another one.
struct placement_weigher {
  std::string_view name;
  uint32_t weight = 1;
  /// 0 (worst) to 1000 (best).
  uint32_t (*score)(const placement_case&);
};

/// All of them. What a VM prefers counts more than how loaded hosts are.
std::span<const placement_weigher> placement_weighers();

} // namespace novacron
