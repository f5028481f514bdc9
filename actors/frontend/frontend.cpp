#include "actors/frontend/frontend.hpp"

#include <algorithm>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto replica_timeout = 5s;
constexpr auto scheduler_timeout = 1s;

using self_pointer = frontend_with_clock::stateful_pointer<frontend_actor_state>;
using effects = frontend_state::effects;

void carry_out(self_pointer self, const effects& todo);

void ask(self_pointer self, const ask_scheduler& what) {
  self->request(self->state.scheduler, scheduler_timeout, what.request)
      .then(
          [self, question = what.question](const place_answer& answer) {
            carry_out(self, self->state.frontend.placed(question, answer, self->clock().now()));
          },
          [self, question = what.question](const caf::error&) {
            carry_out(self, self->state.frontend.not_placed(question, self->clock().now()));
          });
}

void propose(self_pointer self, const propose_batch& what) {
  self->request(self->state.replica, replica_timeout, what.commands)
      .then(
          [self, batch = what.batch](const outcomes& answer) {
            carry_out(self, self->state.frontend.applied(batch, answer, self->clock().now()));
          },
          [self, batch = what.batch](const caf::error&) {
            carry_out(self, self->state.frontend.not_answered(batch, self->clock().now()));
          });
}

void answer(frontend_actor_state& state, const answer_proposal& what) {
  if (auto found = state.waiting.extract(what.ticket))
    found.mapped().deliver(what.answer);
}

void arrange_tick(self_pointer self) {
  auto& state = self->state;
  auto at = state.frontend.wake();
  if (!at || (state.next_tick && *state.next_tick <= *at))
    return;
  state.next_tick = at;
  auto wait = std::max<std::chrono::steady_clock::duration>(*at - self->clock().now(), 1ms);
  self->delayed_send(self, wait, tick_atom::value);
}

void carry_out(self_pointer self, const effects& todo) {
  for (const auto& effect : todo)
    if (auto* question = std::get_if<ask_scheduler>(&effect))
      ask(self, *question);
    else if (auto* batch = std::get_if<propose_batch>(&effect))
      propose(self, *batch);
    else if (auto* done = std::get_if<answer_proposal>(&effect))
      answer(self->state, *done);
  arrange_tick(self);
}

} // namespace

frontend_actor_state::~frontend_actor_state() {
  for (const auto& effect : frontend.abandon())
    answer(*this, std::get<answer_proposal>(effect));
}

frontend_with_clock::behavior_type frontend(self_pointer self, frontend_config config,
                                            replica_actor replica, scheduler_actor scheduler) {
  self->state.frontend = frontend_state{config};
  self->state.replica = std::move(replica);
  self->state.scheduler = std::move(scheduler);
  return {
      [self](const proposal& what) {
        auto& state = self->state;
        auto promise = self->make_response_promise<outcomes>();
        auto ticket = ++state.last_ticket;
        state.waiting.emplace(ticket, promise);
        carry_out(self, state.frontend.submitted(ticket, what, self->clock().now()));
        return promise;
      },
      [self](tick_atom) {
        self->state.next_tick.reset();
        carry_out(self, self->state.frontend.tick(self->clock().now()));
      },
  };
}

} // namespace novacron
