#pragma once

#include "actors/host/host_context.hpp"

#include <memory>

namespace novacron {

enum class migration_side : uint8_t { source, destination };

/// Spawns the actor of one side of one migration. Killed and restarted it asks
/// the host for the log's word and, unless that is decided, proposes to abort.
migration_actor spawn_migration(caf::actor_system& system, migration_id id, migration_side side,
                                std::shared_ptr<host_context> context);

} // namespace novacron
