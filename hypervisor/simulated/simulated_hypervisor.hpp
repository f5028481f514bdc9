#pragma once

#include "hypervisor/hypervisor.hpp"
#include "hypervisor/simulated/simulated_host.hpp"

#include <memory>

namespace novacron {

struct simulated_config {
  std::shared_ptr<simulated_host> host;
};

/// A driver for guests that exist only in memory. It keeps nothing itself: what
/// it starts belongs to the `simulated_host`, which other drivers, as of a
/// restarted agent, see as well. Incoming guests die with the driver that
/// prepared them, as libvirt's do. Never fails.
std::unique_ptr<hypervisor> make_simulated_hypervisor(const simulated_config& config);

} // namespace novacron
