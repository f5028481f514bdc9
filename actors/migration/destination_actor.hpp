#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/incoming.hpp"
#include "actors/migration/migration_destination.hpp"

#include <caf/typed_response_promise.hpp>
#include <memory>
#include <optional>

namespace novacron {

struct destination_actor_state {
  ~destination_actor_state(); ///< ends the session elsewhere: it may take a while

  std::shared_ptr<host_context> context;
  migration_destination logic;
  migration_changed known;
  host_actor host; ///< whoever told us last
  std::shared_ptr<incoming> guest;
  std::optional<caf::typed_response_promise<migration_prepared>> prepare_answer;
  std::optional<caf::typed_response_promise<caf::ok_atom>> performed_answer;
  static constexpr const char* name = "migration";
};

/// The destination's side; the source asks it to prepare, and tells it the end.
migration_actor::behavior_type
destination_side(migration_actor::stateful_pointer<destination_actor_state> self, migration_id id,
                 std::shared_ptr<host_context> context);

} // namespace novacron
