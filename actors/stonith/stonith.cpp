#include "actors/stonith/stonith.hpp"

#include "actors/feed/follow.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 200ms;
constexpr auto order_timeout = 8s; // longer than the frontend takes

using self_pointer = stonith_actor::stateful_pointer<stonith_actor_state>;

void act(self_pointer self);

feed_follower::sink sink_of(self_pointer self) {
  auto& stonith = self->state.stonith;
  return {.put = [&stonith, self](const any_record& x) { stonith.put(x, self->clock().now()); },
          .remove = [&stonith](const any_record& x) { stonith.remove(x); },
          .keep_only = [&stonith](const auto& named) { stonith.keep_only(named); },
          .progress = {}};
}

void ended(self_pointer self, node_id host, const command_end& result) {
  auto& state = self->state;
  state.runs.erase(host);
  const bool counts = state.stonith.ended(host, result.ok, self->clock().now());
  if (counts)
    state.log.info("stonith", "the fence command says that a host is off",
                   {{"host", to_string(host)}});
  else
    state.log.warning("stonith",
                      "the fence command doesn't count: "
                          + (result.ok ? "its host was back meanwhile" : result.what)
                          + "; it is run again while it is needed, or say it: novacron host fenced",
                      {{"host", to_string(host)}});
  act(self);
}

void carry_out(self_pointer self, const run_command& what) {
  auto& state = self->state;
  state.log.warning("stonith", "the fence command is run for host " + what.name,
                    {{"host", to_string(what.host)}});
  auto stop = std::make_shared<command_stop>();
  state.runs[what.host] = stop;
  state.run({what.name, to_string(what.host)}, stop,
            [self, whom = caf::actor_cast<caf::actor>(self), host = what.host](command_end how) {
              caf::anon_send(whom, continuation{[self, host, how = std::move(how)] {
                               ended(self, host, how);
                             }});
            });
}

void carry_out(self_pointer self, const end_command& what) {
  const auto& runs = self->state.runs;
  if (auto found = runs.find(what.host); found != runs.end())
    found->second->request();
}

void carry_out(self_pointer self, const say_fenced& what) {
  forwarded_proposal order{{{command{fence_host{what.host, {self->state.ids()}}, {}}}}};
  auto answered = [self, host = what.host](const std::optional<command_outcome>& outcome) {
    auto& state = self->state;
    if (outcome && !outcome->ok())
      state.log.warning("stonith", "the log refuses that a host is off: " + outcome->detail,
                        {{"host", to_string(host)}});
    state.stonith.answered(host, self->clock().now());
  };
  self->request(self->state.frontend, order_timeout, std::move(order))
      .then(
          [answered](const outcomes& answer) {
            answered(answer.each.size() == 1 ? std::optional{answer.each.front()} : std::nullopt);
          },
          [answered](const caf::error&) { answered(std::nullopt); });
}

void act(self_pointer self) {
  auto& state = self->state;
  if (!state.follower->complete())
    return;
  for (const auto& effect : state.stonith.tick(self->clock().now()))
    std::visit([self](const auto& what) { carry_out(self, what); }, effect);
}

} // namespace

stonith_actor_state::~stonith_actor_state() {
  for (const auto& [host, stop] : runs)
    stop->request();
}

stonith_actor::behavior_type stonith(self_pointer self, stonith_setup setup, feed_source_actor feed,
                                     controller_frontend_actor frontend, logger log) {
  auto& state = self->state;
  state.stonith = stonith_state{setup.when};
  state.run = std::move(setup.run);
  state.ids = std::move(setup.ids);
  state.follower.emplace(feed_filter{}, true, sink_of(self));
  state.frontend = std::move(frontend);
  state.log = std::move(log);
  self->send(self, tick_atom::value);
  return {
      [](const continuation& what) { what.run(); },
      [self, feed](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow(self, feed, *self->state.follower, [self] { act(self); });
        act(self);
      },
  };
}

} // namespace novacron
