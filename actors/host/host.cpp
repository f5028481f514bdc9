#include "actors/host/host.hpp"

#include "actors/feed/follow.hpp"
#include "actors/host/host_guests.hpp"
#include "actors/host/propose.hpp"
#include "hypervisor/console/console_folder.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 30ms; // also how long observations wait for company
constexpr auto sweep_interval = 60s;

using outcome = std::optional<command_outcome>;

void carry_out(host_pointer self, const propose_registration& what) {
  propose_to_log(self, *self->state.context, what.command, [self](const outcome& x) {
    novacron::carry_out(self, self->state.logic->registered(x));
  });
}

void carry_out(host_pointer self, const propose_renewal& what) {
  propose_to_log(
      self, *self->state.context, what.command, [self, attempt = what.attempt](const outcome& x) {
        novacron::carry_out(self, self->state.logic->renewed(attempt, x, moment_of(self)));
      });
}

void carry_out(host_pointer self, const propose_inventory& what) {
  propose_to_log(self, *self->state.context, what.command, [self](const outcome& x) {
    novacron::carry_out(self, self->state.logic->inventory_confirmed(x));
  });
}

void carry_out(host_pointer self, const propose_report& what) {
  propose_to_log(self, *self->state.context, what.report, [self](const outcome& x) {
    novacron::carry_out(self, self->state.logic->reported(x));
  });
}

void carry_out(host_pointer self, const move_deadline& what) {
  auto context = self->state.context;
  auto guarded = [self, context, deadline = what.deadline](const std::optional<failure>& problem) {
    if (!problem)
      context->guarded_until = deadline;
    novacron::carry_out(self, self->state.logic->guarded(deadline, problem));
  };
  if (!context->move_deadline) {
    guarded(std::nullopt);
    return;
  }
  call_blocking(
      self, *context->pool, uuid{1, 0},
      [context, deadline = what.deadline] {
        auto done = context->move_deadline(deadline);
        return done ? std::nullopt : std::optional{done.error()};
      },
      guarded);
}

void carry_out(host_pointer self, const keep_fencer&) {
  auto context = self->state.context;
  auto kept = [self](const std::optional<failure>& problem) {
    novacron::carry_out(self, self->state.logic->fencer_kept(problem));
  };
  if (!context->keep_fencer) {
    kept(std::nullopt);
    return;
  }
  call_blocking(
      self, *context->pool, uuid{1, 0},
      [context] {
        auto done = context->keep_fencer();
        return done ? std::nullopt : std::optional{done.error()};
      },
      kept);
}

void carry_out(host_pointer self, const look_at_guests&) {
  auto context = self->state.context;
  call_blocking(
      self, *context->pool, context->self.id.value, [context] { return context->driver->list(); },
      [self, asked = self->clock().now()](const result<std::vector<guest_status>>& guests) {
        novacron::carry_out(self, self->state.logic->looked(guests, asked, moment_of(self)));
      });
}

void carry_out(host_pointer self, const ask_about_vm& what) {
  auto told = [self, vm = what.vm](const std::optional<feed_listing>& listing) {
    novacron::carry_out(self, self->state.logic->told_about(vm, listing));
  };
  auto source = self->state.context->feed.get();
  if (!source) {
    told(std::nullopt);
    return;
  }
  self->request(source, follow_timeout, list_request{{}, {}, 65'536, true, what.vm})
      .then([told](const feed_listing& listing) { told(listing); },
            [told](const caf::error&) { told(std::nullopt); });
}

void carry_out(host_pointer self, const note_host& what) {
  const auto& log = self->state.context->log;
  if (!what.warning)
    log.info("host", what.text);
  else if (what.vm.nil())
    log.warning("host", what.text);
  else
    log.warning("host", what.text, {{"vm", to_string(what.vm)}});
}

void follow_log(host_pointer self) {
  auto& state = self->state;
  if (auto source = state.context->feed.get())
    follow(self, source, state.logic->follower(),
           [self] { novacron::carry_out(self, self->state.logic->log_changed(moment_of(self))); });
}

/// A guest writes to its console as much as it likes, and its host has one disk.
void sweep_if_due(host_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (!state.logic->follower().complete() || now - state.swept_at < sweep_interval)
    return;
  state.swept_at = now;
  call_blocking(
      self, *state.context->pool, uuid{2, 0},
      [folder = state.context->console_folder(), here = state.logic->table().all_vms()] {
        return sweep_consoles(folder, [&](vm_id vm) { return here.contains(vm); });
      },
      [self](const result<void>& done) {
        if (!done)
          self->state.context->log.warning("host", done.error().message);
      });
}

caf::result<vm_changed> attached(host_pointer self, vm_id vm) {
  auto word = self->state.logic->attached(vm, moment_of(self));
  if (!word)
    return caf::make_error(caf::sec::runtime_error, "this host knows no such VM");
  meet(self, vm, caf::actor_cast<vm_actor>(self->current_sender()));
  return *word;
}

caf::result<migration_changed> attached(host_pointer self, migration_id migration) {
  auto word = self->state.logic->attached(migration);
  if (!word)
    return caf::make_error(caf::sec::runtime_error, "this host knows no such migration");
  meet(self, migration, caf::actor_cast<migration_actor>(self->current_sender()));
  return *word;
}

caf::result<migration_prepared> prepare(host_pointer self, const prepare_migration& request) {
  auto& state = self->state;
  auto answer = self->make_response_promise<migration_prepared>();
  auto ticket = ++state.last_ticket;
  state.requests.emplace(ticket, answer);
  carry_out(self, state.logic->asked_to_prepare(ticket, request, moment_of(self)));
  return answer;
}

/// A guest's event, from a thread of the driver's own.
void pass_on(const std::weak_ptr<host_context>& context, const guest_event& event) {
  auto held = context.lock();
  auto present = held ? held->host.get() : host_actor{};
  if (!present)
    return;
  if (event.powered_off)
    caf::anon_send(present, guest_powered_off{event.vm});
  caf::anon_send(present, update_atom::value);
}

} // namespace

host_actor_state::~host_actor_state() {
  for (auto& [ticket, source] : requests)
    source.deliver(caf::make_error(caf::sec::runtime_error, "the host's actor has ended"));
}

host_moment moment_of(host_pointer self) {
  return {self->clock().now(), self->state.context->boot_time()};
}

void carry_out(host_pointer self, const host_effects& effects) {
  for (const auto& effect : effects)
    std::visit([self](const auto& each) { carry_out(self, each); }, effect);
}

host_actor::behavior_type host(host_pointer self, std::shared_ptr<host_context> context) {
  self->state.context = context;
  self->state.logic.emplace(
      host_settings{context->self, context->lease_term, context->renew_every});
  context->host.set(self);
  // The driver is the context's: held by its listener, neither would ever go.
  context->driver->subscribe(
      [weak = std::weak_ptr{context}](const guest_event& event) { pass_on(weak, event); });
  self->set_down_handler([=](const caf::down_msg& down) { miss(self, down.source); });
  self->send(self, tick_atom::value);
  return {
      [=](const attach_vm& x) { return attached(self, x.vm); },
      [=](const attach_migration& x) { return attached(self, x.migration); },
      [=](const vm_observation& x) { self->state.logic->observed(x); },
      [=](const migration_observation& x) { self->state.logic->observed(x); },
      [=](const prepare_migration& x) { return prepare(self, x); },
      [=](const migration_performed& x) { return pass_on(self, x); },
      [=](const guest_powered_off& x) { self->state.logic->powers_off(x.vm); },
      [=](update_atom) { self->state.logic->look_soon(); },
      [=](const continuation& x) { x.run(); },
      [=](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow_log(self);
        carry_out(self, self->state.logic->tick(moment_of(self)));
        sweep_if_due(self);
      },
  };
}

} // namespace novacron
