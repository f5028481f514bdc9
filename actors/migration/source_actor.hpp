#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/migration_source.hpp"

#include <memory>

namespace novacron {

struct perform_run;

struct source_actor_state {
  ~source_actor_state(); ///< ends what runs, elsewhere: it may take a while

  std::shared_ptr<host_context> context;
  migration_source logic;
  migration_changed known;
  host_actor host;                  ///< whoever told us last
  link_actor peer;                  ///< to the destination; invalid before the first word to it
  std::shared_ptr<perform_run> run; ///< while Perform and its pages run
  uint64_t processed_bytes = 0;     ///< at the last look, for the rate
  std::chrono::steady_clock::time_point looked_at;
  static constexpr const char* name = "migration";
};

/// The source's side; takes no words from the destination.
migration_actor::behavior_type
source_side(migration_actor::stateful_pointer<source_actor_state> self, migration_id id,
            std::shared_ptr<host_context> context);

} // namespace novacron
