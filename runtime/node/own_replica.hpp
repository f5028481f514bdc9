#pragma once

#include "runtime/config/node_config.hpp"
#include "runtime/node/founding.hpp"
#include "storage/replica.hpp"

#include <memory>

namespace novacron {

/// How the replica of this controller would begin, by its founders' file and by
/// what its folder has been. Fails when the file is bad, or when the state that
/// this node had is gone and nobody else has it.
result<founding> look_at_beginning(const node_config& config);

/// Opens this controller's replica. Decides anew each time how it begins, since a
/// replica is opened again after each death of its actor, and its disk may have
/// been emptied meanwhile; then remembers that it has begun. Blocks. `rest` is
/// what the node's file doesn't say: its folder and founders are overwritten.
result<std::unique_ptr<replica>> open_own_replica(const node_config& config, replica_config rest);

} // namespace novacron
