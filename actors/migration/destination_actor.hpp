#pragma once

#include "actors/migration/incoming.hpp"
#include "actors/migration/migration_destination.hpp"
#include "actors/migration/wiring.hpp"

#include <caf/typed_response_promise.hpp>
#include <memory>
#include <optional>

namespace novacron {

struct destination_actor_state : migration_side_state<migration_destination> {
  /// Refuses those who wait for an answer. Ends the session elsewhere: it may take a while.
  ~destination_actor_state();

  std::shared_ptr<incoming> guest; ///< once something was done about it
  std::optional<caf::typed_response_promise<migration_prepared>> prepare_answer;
  std::optional<caf::typed_response_promise<caf::ok_atom>> performed_answer;
};

using destination_pointer = migration_actor::stateful_pointer<destination_actor_state>;

/// The destination's side; the source asks it to prepare, and tells it the end.
migration_actor::behavior_type destination_side(destination_pointer self, migration_id id,
                                                std::shared_ptr<host_context> context);

/// Does what the destination's logic wants.
void carry_out(destination_pointer self, const migration_effects& effects);

} // namespace novacron
