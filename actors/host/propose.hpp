#pragma once

#include "actors/host/host_context.hpp"

#include <chrono>
#include <optional>

namespace novacron {

inline constexpr auto propose_timeout = std::chrono::seconds{3};

/// Proposes one command to the log, from any actor of a host; `then` gets its
/// outcome, or nothing when nobody answered: then it may have been applied or not.
template <class Self, class Then>
void propose_to_log(Self self, const host_context& context, command_body what, Then then) {
  auto frontend = context.frontend.get();
  if (!frontend) {
    then(std::optional<command_outcome>{});
    return;
  }
  self->request(frontend, propose_timeout, proposal{{command{std::move(what), {}}}})
      .then(
          [then](const outcomes& answer) {
            then(answer.each.size() == 1 ? std::optional{answer.each.front()} : std::nullopt);
          },
          [then](const caf::error&) { then(std::optional<command_outcome>{}); });
}

} // namespace novacron
