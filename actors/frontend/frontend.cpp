#include "actors/frontend/frontend.hpp"

#include "actors/peer/mesh_errors.hpp"

#include <algorithm>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto replica_timeout = 5s;
constexpr auto scheduler_timeout = 1s;
constexpr auto forward_timeout = 6s;
constexpr auto status_timeout = 2s;

using self_pointer = frontend_with_clock::stateful_pointer<frontend_actor_state>;
using effects = frontend_state::effects;

void carry_out(self_pointer self, const effects& what);
void carry_out(self_pointer self, const forwarding::effects& what);

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

link_actor link_to(const frontend_actor_state& state, node_id node) {
  return state.links ? state.links->find(node) : link_actor{};
}

void forward(self_pointer self, const forward_proposal& what) {
  auto& state = self->state;
  auto link = link_to(state, what.to);
  if (!link) {
    carry_out(self, state.forwarding.not_sent(what, self->clock().now()));
    return;
  }
  self->request(link, forward_timeout, *what.what)
      .then(
          [self, what](const outcomes& answer) {
            carry_out(self, self->state.forwarding.answered(what, answer, self->clock().now()));
          },
          [self, what](const caf::error& why) {
            auto& way = self->state.forwarding;
            const auto now = self->clock().now();
            carry_out(self, has_done_nothing(why) ? way.not_sent(what, now) : way.lost(what, now));
          });
}

void arrange_tick(self_pointer self) {
  auto& state = self->state;
  auto at = state.frontend.wake();
  if (auto other = state.forwarding.wake(); other && (!at || *other < *at))
    at = other;
  if (!at || (state.next_tick && *state.next_tick <= *at))
    return;
  state.next_tick = at;
  auto wait = std::max<std::chrono::steady_clock::duration>(*at - self->clock().now(), 1ms);
  self->delayed_send(self, wait, tick_atom::value);
}

void carry_out(self_pointer self, const effects& what) {
  for (const auto& effect : what)
    if (auto* question = std::get_if<ask_scheduler>(&effect))
      ask(self, *question);
    else if (auto* batch = std::get_if<propose_batch>(&effect))
      propose(self, *batch);
    else if (auto* done = std::get_if<answer_proposal>(&effect))
      carry_out(self,
                self->state.forwarding.answered(done->ticket, done->answer, self->clock().now()));
  arrange_tick(self);
}

void carry_out(self_pointer self, const forwarding::effects& what) {
  auto& state = self->state;
  for (const auto& effect : what)
    if (auto* here = std::get_if<submit_here>(&effect))
      carry_out(self, state.frontend.submitted(here->ticket, *here->what, self->clock().now()));
    else if (auto* elsewhere = std::get_if<forward_proposal>(&effect))
      forward(self, *elsewhere);
    else if (auto* done = std::get_if<answer_proposal>(&effect))
      answer(state, *done);
  arrange_tick(self);
}

caf::result<outcomes> take(self_pointer self, const proposal& what, bool forwarded) {
  auto& state = self->state;
  auto promise = self->make_response_promise<outcomes>();
  auto ticket = ++state.last_ticket;
  state.waiting.emplace(ticket, promise);
  carry_out(self, state.forwarding.submitted(ticket, what, forwarded, self->clock().now()));
  return promise;
}

/// From the leader; from the replica here when there is none, and that will do.
caf::result<group_status> status(self_pointer self, const group_status_request& what) {
  auto& state = self->state;
  const auto& leader = state.forwarding.leader();
  auto link = leader.here ? link_actor{} : link_to(state, leader.leads);
  if (leader.here || (!link && !what.linearizable))
    return self->delegate(state.replica, what);
  if (!link)
    return caf::make_error(caf::sec::runtime_error,
                           "frontend: no leader can be reached; come back later");
  auto promise = self->make_response_promise<group_status>();
  self->request(link, status_timeout, what)
      .then([promise](const group_status& x) mutable { promise.deliver(x); },
            [self, promise, what](caf::error& why) mutable {
              if (what.linearizable) {
                promise.deliver(std::move(why));
                return;
              }
              self->request(self->state.replica, status_timeout, what)
                  .then(
                      [promise](const group_status& x) mutable { promise.deliver(x); },
                      [promise](caf::error& other) mutable { promise.deliver(std::move(other)); });
            });
  return promise;
}

} // namespace

frontend_actor_state::~frontend_actor_state() {
  for (const auto& effect : forwarding.abandon())
    answer(*this, std::get<answer_proposal>(effect));
}

frontend_with_clock::behavior_type frontend(self_pointer self, frontend_config config,
                                            replica_actor replica, scheduler_actor scheduler,
                                            std::shared_ptr<standing_links> links) {
  self->state.frontend = frontend_state{config};
  self->state.replica = std::move(replica);
  self->state.scheduler = std::move(scheduler);
  self->state.links = std::move(links);
  self->send(self->state.replica, status_atom::value, caf::actor_cast<caf::actor>(self));
  return {
      [self](const proposal& what) { return take(self, what, false); },
      [self](const group_status_request& what) { return status(self, what); },
      [self](const forwarded_proposal& what) { return take(self, what.what, true); },
      [self](const leadership& who) {
        carry_out(self, self->state.forwarding.led_by(who, self->clock().now()));
      },
      [self](tick_atom) {
        auto& state = self->state;
        state.next_tick.reset();
        carry_out(self, state.frontend.tick(self->clock().now()));
        carry_out(self, state.forwarding.tick(self->clock().now()));
      },
  };
}

} // namespace novacron
