#pragma once

#include <cstdint>
#include <string>

namespace novacron::sim {

/// A process in the simulated cluster: a replica now; hosts with their fencers,
/// gateways and clients are others. A node talks to others through the network,
/// keeps what survives on a disk, and is driven by the scheduler alone.
class node {
public:
  virtual ~node() = default;

  [[nodiscard]] virtual uint64_t number() const = 0; ///< its place in the network
  [[nodiscard]] virtual bool up() const = 0;
  /// Starts the process with what its disk holds.
  virtual void start() = 0;
  /// The process ends without a word.
  virtual void crash() = 0;
};

} // namespace novacron::sim
