#include "actors/scale_out/scale_out.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 200ms;

using self_pointer = scale_out_actor::stateful_pointer<scale_out_actor_state>;

void ended(self_pointer self, const command_end& how) {
  auto& state = self->state;
  state.stop = nullptr;
  state.scale_out.ended(self->clock().now());
  if (how.ok)
    state.log.info("scale_out", "the scale-out command says that one more gateway will come");
  else
    state.log.warning("scale_out", "the scale-out command failed: " + how.what
                                       + "; it is run again while requests are sent away, or add a "
                                         "gateway by hand");
}

void begin(self_pointer self) {
  auto& state = self->state;
  state.log.warning("scale_out",
                    "requests are sent away, the scale-out command is run for one more gateway");
  state.stop = std::make_shared<command_stop>();
  state.setup.run({state.setup.node}, state.stop,
                  [self, whom = caf::actor_cast<caf::actor>(self)](command_end how) {
                    caf::anon_send(
                        whom, continuation{[self, how = std::move(how)] { ended(self, how); }});
                  });
}

} // namespace

scale_out_actor_state::~scale_out_actor_state() {
  if (stop)
    stop->request();
}

scale_out_actor::behavior_type scale_out(self_pointer self, scale_out_setup setup, logger log) {
  auto& state = self->state;
  state.scale_out = scale_out_state{setup.when, setup.shed->total()};
  state.setup = std::move(setup);
  state.log = std::move(log);
  self->send(self, tick_atom::value);
  return {
      [](const continuation& what) { what.run(); },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        const auto& shed = self->state.setup.shed;
        if (self->state.scale_out.look(shed->total(), self->clock().now()))
          begin(self);
      },
  };
}

} // namespace novacron
