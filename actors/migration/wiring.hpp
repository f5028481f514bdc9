#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/migration_effects.hpp"

#include <memory>
#include <optional>

namespace novacron {

// What both sides' actors do in the same way.

inline constexpr auto migration_tick = std::chrono::milliseconds{200};
inline constexpr auto propose_timeout = std::chrono::seconds{3};
inline constexpr auto attach_migration_timeout = std::chrono::seconds{2};

/// Asks the host for the log's word, unless it has come already; `then` gets it.
template <class Self, class Then>
void attach_to_host(Self self, const std::shared_ptr<host_context>& context, migration_id id,
                    Then then) {
  auto host = context->host.get();
  if (self->state.host || !host)
    return;
  self->request(host, attach_migration_timeout, attach_migration{id})
      .then(then, [](const caf::error&) { /* the next tick asks again */ });
}

/// Proposes a decision; `then` gets the outcome, or nothing when nobody answered.
template <class Self, class Then>
void propose_to_log(Self self, const host_context& context, const decide_migration& what,
                    Then then) {
  auto frontend = context.frontend.get();
  if (!frontend) {
    then(std::nullopt);
    return;
  }
  self->request(frontend, propose_timeout, proposal{{command{what, {}}}})
      .then(
          [then](const outcomes& answer) {
            then(answer.each.size() == 1 ? std::optional{answer.each.front()} : std::nullopt);
          },
          [then](const caf::error&) { then(std::nullopt); });
}

} // namespace novacron
