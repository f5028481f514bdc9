#pragma once

#include "actors/gateway/problem.hpp"
#include "messages/records.hpp"

#include <chrono>
#include <string_view>

namespace novacron {

/// How a host is to be drained.
struct drain_body {
  std::chrono::milliseconds deadline{0}; ///< 0: none
  deadline_policy then = deadline_policy::leave;
  uint32_t parallel = 2;
};

/// An empty body is a drain without a deadline.
parsed<drain_body> parse_drain(std::string_view body);

struct rebalance_body {
  bool plan = false; ///< only say what would be done
  size_t moves = 4;
  uint32_t spread_percent = 20; ///< hosts whose loads differ by no more are left alone
  uint32_t parallel = 2;
};
parsed<rebalance_body> parse_rebalance(std::string_view body);

} // namespace novacron
