#include "actors/leader_only/leader_only.hpp"

namespace novacron {

namespace {

using self_pointer = leader_only_actor::stateful_pointer<leader_only_state>;

void stop(self_pointer self) {
  auto& child = self->state.child;
  if (!child)
    return;
  self->send_exit(child, caf::exit_reason::user_shutdown);
  child = nullptr;
}

void led_by(self_pointer self, const leadership& now) {
  auto& state = self->state;
  const bool same_term = now.here && state.leader.here && now.term == state.leader.term;
  state.leader = now;
  if (same_term)
    return;
  stop(self);
  if (!now.here)
    return;
  state.child = state.start(self->system());
  self->link_to(state.child);
  state.log.info("leader", state.what + " starts", {{"term", std::to_string(now.term)}});
}

} // namespace

leader_only_actor::behavior_type leader_only(self_pointer self, std::string what,
                                             replica_actor replica, leader_starter start,
                                             logger log) {
  self->state.what = std::move(what);
  self->state.start = std::move(start);
  self->state.log = std::move(log);
  self->send(replica, status_atom::value, caf::actor_cast<caf::actor>(self));
  return {
      [self](const leadership& now) { led_by(self, now); },
  };
}

} // namespace novacron
