#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/decision.hpp"
#include "actors/migration/migration_effects.hpp"

#include <memory>
#include <string>

namespace novacron {

// What both sides' actors do in the same way. Each side has a
// `carry_out(self, effects)`, which does what its logic wants.

inline constexpr auto migration_tick = std::chrono::milliseconds{200};
inline constexpr auto attach_migration_timeout = std::chrono::seconds{2};

/// What both sides' actors know. `Logic` is `migration_source` or `migration_destination`.
template <class Logic>
struct migration_side_state {
  std::shared_ptr<host_context> context;
  Logic logic;
  migration_changed known; ///< the log's last word
  host_actor host;         ///< whoever told us last; invalid before
  static constexpr const char* name = "migration";
};

/// Hands an answer to the logic and carries out what follows.
template <class Self, class Logic, class Answer>
auto brings(Self self, migration_effects (Logic::*to)(const Answer&, decision::time_point)) {
  return [self, to](const Answer& answer) {
    carry_out(self, (self->state.logic.*to)(answer, self->clock().now()));
  };
}

/// The log's word has come, from the host that sent the present message.
template <class Self>
void word_of_the_log(Self self, const migration_changed& what) {
  self->state.host = caf::actor_cast<host_actor>(self->current_sender());
  self->state.known = what;
  carry_out(self, self->state.logic.changed(what, self->clock().now()));
}

/// Each tick: asks the host for the log's word unless it has come already, and
/// lets the logic see the time.
template <class Self>
void tick_migration(Self self, migration_id id) {
  self->delayed_send(self, migration_tick, tick_atom::value);
  auto host = self->state.context->host.get();
  if (host && !self->state.host)
    self->request(host, attach_migration_timeout, attach_migration{id})
        .then([self](const migration_changed& what) { word_of_the_log(self, what); },
              [](const caf::error&) { /* the next tick asks again */ });
  carry_out(self, self->state.logic.tick(self->clock().now()));
}

template <class Self>
void note(Self self, const std::string& text) {
  const auto& record = self->state.known.migration;
  self->state.context->log.info(
      "migration", text, {{"migration", to_string(record.id)}, {"vm", to_string(record.vm)}});
}

} // namespace novacron
