#include "actors/scheduler/scheduler.hpp"

#include "actors/feed/follow.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 20ms;

using self_pointer = scheduler_actor::stateful_pointer<scheduler_actor_state>;

feed_follower::sink sink_of(self_pointer self) {
  auto& scheduler = self->state.scheduler;
  return {.put = [&scheduler](const any_record& record) { scheduler.put(record); },
          .remove = [&scheduler](const any_record& record) { scheduler.remove(record); },
          .keep_only = [&scheduler](const auto& named) { scheduler.keep_only(named); },
          .progress = {}};
}

caf::result<place_answer> choose(self_pointer self, const place_request& request) {
  if (!self->state.follower->complete())
    return caf::make_error(caf::sec::runtime_error,
                           "scheduler: the state is being read; come back in a moment");
  return self->state.scheduler.choose(request, self->clock().now());
}

} // namespace

scheduler_actor::behavior_type scheduler(self_pointer self, scheduler_config config,
                                         feed_source_actor feed) {
  self->state.scheduler = scheduler_state{config};
  self->state.follower.emplace(feed_filter{}, true, sink_of(self));
  self->send(self, tick_atom::value);
  return {
      [self](const place_request& request) { return choose(self, request); },
      [self, feed](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow(self, feed, *self->state.follower, [] {});
      },
  };
}

} // namespace novacron
