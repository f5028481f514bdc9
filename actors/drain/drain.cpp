#include "actors/drain/drain.hpp"

#include "actors/feed/follow.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 50ms;
constexpr auto order_timeout = 8s; // longer than the frontend takes

using self_pointer = drain_actor::stateful_pointer<drain_actor_state>;

feed_follower::sink sink_of(self_pointer self) {
  auto& drain = self->state.drain;
  return {.put = [&drain, self](const any_record& x) { drain.put(x, self->clock().now()); },
          .remove = [&drain](const any_record& x) { drain.remove(x); },
          .keep_only = [&drain](const auto& named) { drain.keep_only(named); },
          .progress = {}};
}

void carry_out(self_pointer self, const drain_state::effects& what);

forwarded_proposal proposal_of(command_body body) {
  return {{{command{std::move(body), {}}}}};
}

void give(self_pointer self, const move_vm& order) {
  auto& state = self->state;
  state.log.info("drain", "a VM is to move",
                 {{"task", to_string(order.task)}, {"vm", to_string(order.vm)}});
  self->request(state.frontend, order_timeout, proposal_of(order))
      .then(
          [self, order](const outcomes& answer) {
            const auto now = self->clock().now();
            if (answer.each.size() == 1)
              carry_out(self, self->state.drain.answered(order, answer.each.front(), now));
            else
              self->state.drain.not_answered(order, now);
          },
          [self, order](const caf::error&) {
            self->state.drain.not_answered(order, self->clock().now());
          });
}

void carry_out(self_pointer self, const drain_state::effects& what) {
  for (const auto& effect : what)
    if (auto* order = std::get_if<give_order>(&effect))
      give(self, order->order);
    else if (auto* note = std::get_if<write_note>(&effect))
      self->request(self->state.frontend, order_timeout, proposal_of(note->note))
          .then([](const outcomes&) { /* written, or overtaken */ },
                [](const caf::error&) { /* it is written again with the next failure */ });
}

void act(self_pointer self) {
  auto& state = self->state;
  if (state.follower->complete())
    carry_out(self, state.drain.tick(self->clock().now()));
}

} // namespace

drain_actor::behavior_type drain(self_pointer self, drain_config config, feed_source_actor feed,
                                 controller_frontend_actor frontend, logger log) {
  self->state.drain = drain_state{std::move(config)};
  self->state.follower.emplace(feed_filter{}, false, sink_of(self));
  self->state.frontend = std::move(frontend);
  self->state.log = std::move(log);
  self->send(self, tick_atom::value);
  return {
      [self, feed](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow(self, feed, *self->state.follower, [self] { act(self); });
        act(self);
      },
  };
}

} // namespace novacron
