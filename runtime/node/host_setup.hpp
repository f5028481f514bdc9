#pragma once

#include "actors/host/host_context.hpp"
#include "runtime/node/node.hpp"

#include <memory>

namespace novacron {

/// Everything that a host's actors stand on: attaches to the fencer (or to the
/// simulated machine), or starts one, connects to the hypervisor, opens the DWCP door, makes the
/// folders. Blocks, for some more than a minute on a host whose libvirtd never answers.
/// Fails with one line that says what to do.
result<std::shared_ptr<host_context>> set_up_host(const node_start& start);

} // namespace novacron
