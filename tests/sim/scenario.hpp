#pragma once

#include "disk.hpp"
#include "fleet.hpp"
#include "network.hpp"
#include "replica_node.hpp"

#include <filesystem>
#include <string>

namespace novacron::sim {

/// A kind of weather: sizes, rates and durations, from a TOML file. What happens
/// in it, and when, the seed decides. Rates are mean intervals; 0 is never.
struct scenario {
  std::string name;
  uint64_t voters = 3;
  uint64_t nodes = 3; ///< at least the voters; the others wait to be added

  uint64_t faults_ms = 20'000;   ///< the faults' time
  uint64_t converge_ms = 20'000; ///< what the group may take to be whole again

  network_faults net;
  disk_faults disk;
  replica_settings replica;
  fleet_settings fleet;

  uint64_t propose_every_ms = 15;
  uint64_t crowd_every_ms = 0;
  uint64_t crash_every_ms = 0;
  uint64_t down_max_ms = 3'000;
  uint64_t partition_every_ms = 0;
  uint64_t partition_max_ms = 3'000;
  uint64_t slow_disk_every_ms = 0;
  uint64_t slow_disk_max_ms = 3'000;
  uint64_t slow_disk_factor = 100;
  uint64_t full_disk_every_ms = 0;
  uint64_t full_disk_max_ms = 2'000;
  uint64_t hand_over_every_ms = 0;
  uint64_t change_every_ms = 0;
  bool lose_majority = false; ///< once, for good; an operator recovers from who is left

  /// Throws `std::runtime_error` with the file, and what is wrong with it.
  static scenario load(const std::filesystem::path& file);
};

} // namespace novacron::sim
