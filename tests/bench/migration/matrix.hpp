#pragma once

#include "tests/lab/link/link_queue.hpp"

#include <string>
#include <vector>

namespace novacron::bench {

/// What the guest does while it is moved.
struct workload {
  std::string name;
  std::string kernel_arguments;    ///< of tests/lab/guest
  std::vector<std::string> seen{}; ///< whose saved guests' pages the destination has kept
};

/// What it is moved over.
struct named_link {
  std::string name;
  lab::link_shape shape;
};

/// How it is moved.
struct method {
  std::string name;
  std::vector<std::string> capabilities{}; ///< QEMU's, at both ends
  bool zstd = false;                       ///< multifd's compression, level 1
  bool pages_by_dwcp = false;
  bool tls = false; ///< QEMU's own
};

const std::vector<workload>& workloads();
const std::vector<named_link>& links();
const std::vector<method>& methods();

/// One thing to measure.
struct cell {
  const workload* load = nullptr;
  const named_link* link = nullptr;
  const method* way = nullptr;
};

/// The cells to measure: a set for half an hour, all of them, or those that one
/// of `only`, "workload/link/method", names; each of the three may be '*'.
/// Throws std::invalid_argument when a pattern fits nothing.
std::vector<cell> chosen_cells(bool full, const std::vector<std::string>& only);

} // namespace novacron::bench
