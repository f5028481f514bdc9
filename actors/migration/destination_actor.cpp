#include "actors/migration/destination_actor.hpp"

#include "actors/host/propose.hpp"

#include <utility>

namespace novacron {

namespace {

/// Blocking work on the guest, in the order of its VM.
template <class Work, class Then>
void with_guest(destination_pointer self, Work work, Then then) {
  auto& state = self->state;
  if (!state.guest)
    state.guest = std::make_shared<incoming>(state.context, state.known);
  call_blocking(
      self, *state.context->pool, state.known.vm.id.value,
      [guest = state.guest, work] { return work(*guest); }, then);
}

caf::error refusal(const std::string& why) {
  return caf::make_error(caf::sec::runtime_error, why);
}

void prepare(destination_pointer self, const prepare_migration& request) {
  auto me = caf::actor_cast<caf::actor>(self);
  auto ended = [=](const result<migration_cost>& cost) {
    caf::anon_send(me,
                   continuation{[=] { brings(self, &migration_destination::pages_ended)(cost); }});
  };
  with_guest(
      self, [request, ended](incoming& guest) { return guest.prepare(request, ended); },
      brings(self, &migration_destination::prepared));
}

struct interpreter {
  destination_pointer self;

  void operator()(const prepare_incoming& x) const {
    note(self, "prepares the incoming guest");
    prepare(self, x.request);
  }
  void operator()(const answer_prepare& x) const {
    auto promise = std::exchange(self->state.prepare_answer, std::nullopt);
    if (!promise)
      return;
    if (x.answer)
      promise->deliver(*x.answer);
    else
      promise->deliver(refusal(x.problem));
  }
  void operator()(const answer_performed& x) const {
    auto promise = std::exchange(self->state.performed_answer, std::nullopt);
    if (!promise)
      return;
    if (x.problem.empty())
      promise->deliver(caf::ok_atom::value);
    else
      promise->deliver(refusal(x.problem));
  }
  void operator()(const finish_incoming& x) const {
    note(self, "committed: the guest runs here from now on");
    with_guest(
        self, [cookie = x.cookie](incoming& guest) { return guest.finish(cookie); },
        brings(self, &migration_destination::finished));
  }
  void operator()(const cancel_incoming&) const {
    note(self, "drops the incoming guest");
    with_guest(
        self, [](incoming& guest) { return guest.cancel(); },
        brings(self, &migration_destination::cleaned));
  }
  void operator()(const look_for_guest&) const {
    with_guest(
        self, [](incoming& guest) { return guest.look(); },
        brings(self, &migration_destination::found));
  }
  void operator()(const propose_decision& x) const {
    note(self, "proposes: " + x.command.reason);
    propose_to_log(self, *self->state.context, x.command,
                   brings(self, &migration_destination::decided));
  }
  void operator()(const report_migration& x) const { self->send(self->state.host, x.observation); }
  void operator()(const end_migration&) const {
    with_guest(
        self,
        [](incoming& guest) {
          guest.release();
          guest.forget();
          return true;
        },
        [](bool) { /* nobody is left to hear of it */ });
    self->quit();
  }
  /// The source's effects; the destination's logic has none of them.
  template <class Other>
  void operator()(const Other&) const {
    // nop
  }
};

} // namespace

destination_actor_state::~destination_actor_state() {
  const auto ended = refusal("the migration's actor at the destination has ended");
  if (prepare_answer)
    prepare_answer->deliver(ended);
  if (performed_answer)
    performed_answer->deliver(ended);
  if (guest)
    context->pool->run_apart(known.migration.vm.value, [last = guest] { last->release(); });
}

void carry_out(destination_pointer self, const migration_effects& effects) {
  for (const auto& effect : effects)
    std::visit(interpreter{self}, effect);
}

migration_actor::behavior_type destination_side(destination_pointer self, migration_id id,
                                                std::shared_ptr<host_context> context) {
  self->state.context = std::move(context);
  self->send(self, tick_atom::value);
  return {
      [=](const migration_changed& what) { word_of_the_log(self, what); },
      [=](const prepare_migration& request) -> caf::result<migration_prepared> {
        auto& state = self->state;
        if (!state.host)
          return refusal("the log's word has not come yet");
        if (state.prepare_answer)
          return refusal("the destination is preparing already");
        auto promise = self->make_response_promise<migration_prepared>();
        state.prepare_answer = promise;
        carry_out(self, state.logic.asked_to_prepare(request, self->clock().now()));
        return promise;
      },
      [=](const migration_performed& message) -> caf::result<caf::ok_atom> {
        if (self->state.performed_answer)
          return refusal("the destination was told already");
        auto promise = self->make_response_promise<caf::ok_atom>();
        self->state.performed_answer = promise;
        carry_out(self, self->state.logic.told(message, self->clock().now()));
        return promise;
      },
      [=](const continuation& what) { what.run(); },
      [=](tick_atom) { tick_migration(self, id); },
  };
}

} // namespace novacron
