#include "actors/vm/vm.hpp"

#include "actors/vm/guest_calls.hpp"
#include "dwcp/kept_memory/kept_memory.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 500ms;
constexpr auto attach_timeout = 2'000ms;

using self_pointer = vm_actor::stateful_pointer<vm_actor_state>;
using shared_context = std::shared_ptr<host_context>;

void carry_out(self_pointer self, const shared_context& context, const vm_state::effects& effects);

void call_driver(self_pointer self, const shared_context& context, guest_call call) {
  const auto& record = *self->state.vm.record();
  context->log.info("vm", to_string(call),
                    {{"vm", to_string(record.id)}, {"epoch", to_string(record.epoch)}});
  call_blocking(
      self, *context->pool, record.id.value,
      [context, call, record] { return make_call(*context, call, record, context->boot_time()); },
      [self, context, call, id = record.id](std::optional<failure> problem) {
        if (problem)
          context->log.warning("vm", to_string(call) + " failed: " + problem->message,
                               {{"vm", to_string(id)}});
        carry_out(self, context, self->state.vm.answered(call, problem, self->clock().now()));
      });
}

void carry_out(self_pointer self, const shared_context& context, const vm_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto* call = std::get_if<call_hypervisor>(&effect))
      call_driver(self, context, call->call);
    else if (auto* report = std::get_if<report_observation>(&effect)) {
      if (report->observation.actual == actual_state::gone && context->kept)
        context->kept->forget(report->observation.vm);
      self->send(self->state.host, report->observation);
    } else if (std::holds_alternative<look_again>(effect))
      self->send(self->state.host, update_atom::value);
    else if (std::holds_alternative<end_actor>(effect))
      self->quit();
}

void word_of_the_log(self_pointer self, const shared_context& context, const vm_changed& what) {
  self->state.host = caf::actor_cast<host_actor>(self->current_sender());
  carry_out(self, context, self->state.vm.changed(what, self->clock().now()));
}

/// Asks the host for the log's word, unless it has come already.
void attach(self_pointer self, const shared_context& context, vm_id id) {
  auto host = context->host.get();
  if (self->state.host || !host)
    return;
  self->request(host, attach_timeout, attach_vm{id})
      .then([=](const vm_changed& what) { word_of_the_log(self, context, what); },
            [](const caf::error&) { /* the next tick asks again */ });
}

} // namespace

vm_actor::behavior_type vm(self_pointer self, vm_id id, shared_context context) {
  self->state.vm = vm_state{{context->self.id, context->shutdown_grace}};
  self->send(self, tick_atom::value);
  return {
      [=](const vm_changed& what) { word_of_the_log(self, context, what); },
      [=](const guest_seen& what) {
        carry_out(self, context, self->state.vm.seen(what, self->clock().now()));
      },
      [=](const continuation& what) { what.run(); },
      [=](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        attach(self, context, id);
        carry_out(self, context, self->state.vm.tick(self->clock().now()));
      },
  };
}

} // namespace novacron
