#include "actors/migration/migration.hpp"

#include "actors/migration/destination_actor.hpp"
#include "actors/migration/source_actor.hpp"
#include "actors/supervisor/counted_mailbox.hpp"

namespace novacron {

migration_actor spawn_migration(caf::actor_system& system, migration_id id, migration_side side,
                                std::shared_ptr<host_context> context) {
  return side == migration_side::source
             ? spawn_counted(system, source_side, id, std::move(context))
             : spawn_counted(system, destination_side, id, std::move(context));
}

} // namespace novacron
