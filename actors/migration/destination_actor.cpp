#include "actors/migration/destination_actor.hpp"

#include "actors/migration/wiring.hpp"

#include <utility>

namespace novacron {

namespace {

using self_pointer = migration_actor::stateful_pointer<destination_actor_state>;
using shared_context = std::shared_ptr<host_context>;

void carry_out(self_pointer self, const shared_context& context, const migration_effects& effects);

/// Hands an answer to the logic and carries out what follows.
template <class Answer>
auto brings(self_pointer self, shared_context context,
            migration_effects (migration_destination::*to)(const Answer&,
                                                           migration_destination::time_point)) {
  return [=](const Answer& answer) {
    carry_out(self, context, (self->state.logic.*to)(answer, self->clock().now()));
  };
}

/// Blocking work on the guest, in the order of its VM.
template <class Work, class Then>
void with_guest(self_pointer self, const shared_context& context, Work work, Then then) {
  call_blocking(
      self, *context->pool, self->state.known.vm.id.value,
      [guest = self->state.guest, work] { return work(*guest); }, then);
}

caf::error refusal(const std::string& why) {
  return caf::make_error(caf::sec::runtime_error, why);
}

void note(self_pointer self, const shared_context& context, const std::string& text) {
  const auto& record = self->state.known.migration;
  context->log.info("migration", text,
                    {{"migration", to_string(record.id)}, {"vm", to_string(record.vm)}});
}

void prepare(self_pointer self, const shared_context& context, const prepare_migration& request) {
  auto me = caf::actor_cast<caf::actor>(self);
  auto ended = [=](const std::optional<failure>& problem) {
    caf::anon_send(me, continuation{[=] {
                     brings(self, context, &migration_destination::pages_ended)(problem);
                   }});
  };
  with_guest(
      self, context, [request, ended](incoming& guest) { return guest.prepare(request, ended); },
      brings(self, context, &migration_destination::prepared));
}

struct interpreter {
  self_pointer self;
  const shared_context& context;

  void operator()(const prepare_incoming& x) const {
    note(self, context, "prepares the incoming guest");
    prepare(self, context, x.request);
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
    note(self, context, "committed: the guest runs here from now on");
    with_guest(
        self, context, [cookie = x.cookie](incoming& guest) { return guest.finish(cookie); },
        brings(self, context, &migration_destination::finished));
  }
  void operator()(const cancel_incoming&) const {
    note(self, context, "drops the incoming guest");
    with_guest(
        self, context, [](incoming& guest) { return guest.cancel(); },
        brings(self, context, &migration_destination::cleaned));
  }
  void operator()(const look_for_guest&) const {
    with_guest(
        self, context, [](incoming& guest) { return guest.look(); },
        brings(self, context, &migration_destination::found));
  }
  void operator()(const propose_decision& x) const {
    note(self, context, "proposes: " + x.command.reason);
    propose_to_log(self, *context, x.command,
                   brings(self, context, &migration_destination::decided));
  }
  void operator()(const report_migration& x) const { self->send(self->state.host, x.observation); }
  void operator()(const end_migration&) const {
    context->pool->run(self->state.known.vm.id.value, [guest = self->state.guest] {
      guest->release();
      guest->forget();
    });
    self->quit();
  }
  /// The source's effects; the destination's logic has none of them.
  template <class Other>
  void operator()(const Other&) const {
    // nop
  }
};

void carry_out(self_pointer self, const shared_context& context, const migration_effects& effects) {
  for (const auto& effect : effects)
    std::visit(interpreter{self, context}, effect);
}

void word_of_the_log(self_pointer self, const shared_context& context,
                     const migration_changed& what) {
  self->state.host = caf::actor_cast<host_actor>(self->current_sender());
  self->state.known = what;
  if (!self->state.guest)
    self->state.guest = std::make_shared<incoming>(context, what);
  carry_out(self, context, self->state.logic.changed(what, self->clock().now()));
}

} // namespace

destination_actor_state::~destination_actor_state() {
  if (guest)
    context->pool->run_long([last = guest] { last->release(); });
}

migration_actor::behavior_type destination_side(self_pointer self, migration_id id,
                                                shared_context context) {
  self->state.context = context;
  self->send(self, tick_atom::value);
  return {
      [=](const migration_changed& what) { word_of_the_log(self, context, what); },
      [=](const prepare_migration& request) -> caf::result<migration_prepared> {
        if (!self->state.guest)
          return refusal("the log's word has not come yet");
        auto promise = self->make_response_promise<migration_prepared>();
        if (self->state.prepare_answer)
          return refusal("the destination is preparing already");
        self->state.prepare_answer = promise;
        carry_out(self, context, self->state.logic.asked_to_prepare(request, self->clock().now()));
        return promise;
      },
      [=](const migration_performed& message) -> caf::result<caf::ok_atom> {
        auto promise = self->make_response_promise<caf::ok_atom>();
        self->state.performed_answer = promise;
        carry_out(self, context, self->state.logic.told(message, self->clock().now()));
        return promise;
      },
      [=](const continuation& what) { what.run(); },
      [=](tick_atom) {
        self->delayed_send(self, migration_tick, tick_atom::value);
        attach_to_host(self, context, id,
                       [=](const migration_changed& x) { word_of_the_log(self, context, x); });
        carry_out(self, context, self->state.logic.tick(self->clock().now()));
      },
  };
}

} // namespace novacron
