#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>

namespace novacron {

/// One backup of the cluster's state.
struct backup_info {
  uint32_t number = 0; ///< within its folder; later ones have greater numbers
  std::chrono::sys_seconds made_at;
  cluster_id cluster;
  node_id node; ///< whose replica it was made of
  uint32_t timeline = 0;
  uint64_t revision = 0; ///< the state is at least this new
  uint64_t bytes = 0;    ///< of all its files; backups share those that didn't change

  friend bool operator==(const backup_info&, const backup_info&) = default;
};

} // namespace novacron
