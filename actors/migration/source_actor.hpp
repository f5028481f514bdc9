#pragma once

#include "actors/migration/migration_source.hpp"
#include "actors/migration/wiring.hpp"

#include <memory>

namespace novacron {

struct perform_run;

struct source_actor_state : migration_side_state<migration_source> {
  ~source_actor_state(); ///< ends what runs, elsewhere: it may take a while

  link_actor peer;                  ///< to the destination; invalid before the first word to it
  std::shared_ptr<perform_run> run; ///< while Perform and its pages run
  uint64_t processed_bytes = 0;     ///< at the last look, for the rate
  std::chrono::steady_clock::time_point looked_at;
  bool looking = false; ///< a look is on its way
};

using source_pointer = migration_actor::stateful_pointer<source_actor_state>;

/// The source's side; takes no words from the destination.
migration_actor::behavior_type source_side(source_pointer self, migration_id id,
                                           std::shared_ptr<host_context> context);

/// Does what the source's logic wants.
void carry_out(source_pointer self, const migration_effects& effects);

} // namespace novacron
