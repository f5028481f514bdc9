#include "actors/recovery/recovery.hpp"

#include "actors/feed/follow.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 100ms;
constexpr auto order_timeout = 8s; // longer than the frontend's patience

using self_pointer = recovery_actor::stateful_pointer<recovery_actor_state>;

void order(self_pointer self, const controller_frontend_actor& frontend);

void answered(self_pointer self, const controller_frontend_actor& frontend, vm_id vm,
              const std::optional<command_outcome>& outcome) {
  auto& state = self->state;
  if (outcome && outcome->ok())
    state.log.info("recovery",
                   outcome->detail.empty() ? "a lost VM was placed on another host"
                                           : "a lost VM waits: " + outcome->detail,
                   {{"vm", to_string(vm)}});
  else if (outcome)
    state.log.warning("recovery", "a lost VM was not placed: " + outcome->detail,
                      {{"vm", to_string(vm)}});
  state.recovery.answered(vm, outcome, self->clock().now());
  order(self, frontend);
}

void order(self_pointer self, const controller_frontend_actor& frontend) {
  if (!self->state.follower->complete())
    return;
  for (auto& each : self->state.recovery.next(self->clock().now())) {
    const auto vm = each.vm;
    proposal what;
    what.commands.push_back({std::move(each), {}});
    self->request(frontend, order_timeout, forwarded_proposal{std::move(what)})
        .then(
            [=](const outcomes& answer) {
              answered(self, frontend, vm,
                       answer.each.size() == 1 ? std::optional{answer.each.front()} : std::nullopt);
            },
            [=](const caf::error&) { answered(self, frontend, vm, std::nullopt); });
  }
}

feed_follower::sink sink_of(self_pointer self) {
  auto& recovery = self->state.recovery;
  return {.put = [&recovery](const any_record& record) { recovery.put(record); },
          .remove = [&recovery](const any_record& record) { recovery.remove(record); },
          .keep_only = [&recovery](const auto& named) { recovery.keep_only(named); },
          .progress = {}};
}

} // namespace

recovery_actor::behavior_type recovery(self_pointer self, recovery_config config,
                                       feed_source_actor feed, controller_frontend_actor frontend,
                                       logger log) {
  self->state.recovery = recovery_state{config};
  self->state.log = std::move(log);
  self->state.follower.emplace(feed_filter{}, true, sink_of(self));
  self->send(self, tick_atom::value);
  return {
      [=](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow(self, feed, *self->state.follower, [=] { order(self, frontend); });
        order(self, frontend);
      },
  };
}

} // namespace novacron
