#include "actors/host/host.hpp"

#include "actors/feed/follow.hpp"
#include "actors/host/boot_clock.hpp"
#include "actors/host/host_guests.hpp"
#include "actors/host/propose.hpp"
#include "hypervisor/console/console_folder.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 30ms; // also how long observations wait for company
constexpr auto look_interval = 1'000ms;
constexpr auto sweep_interval = 60s;
constexpr auto inventory_interval = 100ms;

void register_self(host_pointer self) {
  auto& state = self->state;
  if (state.registered || state.asking_to_register)
    return;
  state.asking_to_register = true;
  propose_to_log(self, *state.context, register_host{state.context->self},
                 [self](const std::optional<command_outcome>& outcome) {
                   self->state.asking_to_register = false;
                   self->state.registered = outcome && outcome->ok();
                   if (self->state.registered)
                     self->state.context->log.info("host", "registered");
                   else if (outcome)
                     self->state.context->log.warning("host", "not registered: " + outcome->detail);
                 });
}

void guarded(host_pointer self, std::chrono::nanoseconds deadline) {
  self->state.lease->guarded_until(deadline);
  self->state.context->guarded_until = deadline;
}

void guard(host_pointer self, std::chrono::nanoseconds deadline) {
  auto& state = self->state;
  if (!state.context->move_deadline) {
    guarded(self, deadline);
    return;
  }
  call_blocking(
      self, *state.context->pool, uuid{1, 0},
      [context = state.context, deadline] { return context->move_deadline(deadline); },
      [self, deadline](const result<void>& done) {
        if (done)
          guarded(self, deadline);
        else
          self->state.context->log.warning("host", "the fencer did not take the lease: "
                                                       + done.error().message);
      });
}

void renew_if_due(host_pointer self) {
  auto& state = self->state;
  if (!state.registered)
    return;
  auto attempt = state.lease->tick(boot_clock_now());
  if (!attempt)
    return;
  const auto& context = *state.context;
  propose_to_log(self, context, renew_lease{context.self.id, context.self.boot, context.lease_term},
                 [self, attempt = *attempt](const std::optional<command_outcome>& outcome) {
                   if (!outcome)
                     return;
                   if (!outcome->ok()) {
                     self->state.registered = false; // the log doesn't know us as we are
                     return;
                   }
                   if (auto deadline
                       = self->state.lease->granted(attempt, outcome->revision, boot_clock_now()))
                     guard(self, *deadline);
                 });
}

void report(host_pointer self) {
  auto& state = self->state;
  const auto& me = state.context->self;
  auto next = state.reports.next(me.id, me.boot, static_cast<uint64_t>(boot_clock_now().count()));
  if (!next)
    return;
  propose_to_log(self, *state.context, *next,
                 [self](const std::optional<command_outcome>& outcome) {
                   self->state.reports.ended();
                   if (outcome && outcome->error == command_errc::unknown_host)
                     self->state.registered = false;
                 });
}

/// VMs that wait for permission to start hear of it when it comes or goes.
void pass_on_permission(host_pointer self) {
  auto& state = self->state;
  auto may_start = starting_allowed(self);
  if (may_start == state.may_start)
    return;
  state.may_start = may_start;
  state.context->log.info("host", may_start ? "guests may start: the lease is held"
                                            : "no guest may start: the lease is not held");
  for (auto vm : state.table->waiting_to_start())
    tell_vm(self, vm);
}

void follow_log(host_pointer self) {
  auto source = self->state.context->feed.get();
  if (source)
    follow(self, source, *self->state.follower, [self] { pass_on_changes(self); });
}

/// A guest writes to its console as much as it likes, and its host has one disk.
void sweep_if_due(host_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (!state.follower->complete() || now - state.swept_at < sweep_interval)
    return;
  state.swept_at = now;
  call_blocking(
      self, *state.context->pool, uuid{2, 0},
      [folder = state.context->console_folder(), here = state.table->all_vms()] {
        return sweep_consoles(folder, [&](vm_id vm) { return here.contains(vm); });
      },
      [self](const result<void>& done) {
        if (!done)
          self->state.context->log.warning("host", done.error().message);
      });
}

void tick(host_pointer self) {
  auto& state = self->state;
  follow_log(self);
  register_self(self);
  renew_if_due(self);
  pass_on_permission(self);
  report(self);
  serve_early_requests(self);
  const auto pause = inventory_is_due(self) ? inventory_interval : look_interval;
  if (state.look_soon || self->clock().now() - state.looked_at >= pause)
    look_at_guests(self);
  sweep_if_due(self);
}

caf::result<vm_changed> attached(host_pointer self, vm_id vm) {
  auto word = self->state.table->word_for(vm);
  if (!word)
    return caf::make_error(caf::sec::runtime_error, "this host knows no such VM");
  present(self, vm, caf::actor_cast<vm_actor>(self->current_sender()));
  word->may_start = starting_allowed(self);
  return *word;
}

caf::result<migration_changed> attached(host_pointer self, migration_id migration) {
  auto word = self->state.table->word_for(migration);
  if (!word)
    return caf::make_error(caf::sec::runtime_error, "this host knows no such migration");
  present(self, migration, caf::actor_cast<migration_actor>(self->current_sender()));
  return *word;
}

} // namespace

host_actor::behavior_type host(host_pointer self, std::shared_ptr<host_context> context) {
  auto& state = self->state;
  state.context = context;
  state.table.emplace(context->self.id);
  state.follower.emplace(feed_filter{context->self.id}, true, state.table->sink());
  state.lease.emplace(context->lease_term, context->renew_every);
  context->host.set(self);
  // The driver is the context's: held by its listener, neither would ever go.
  context->driver->subscribe([weak = std::weak_ptr{context}](const guest_event& event) {
    auto held = weak.lock();
    auto present = held ? held->host.get() : host_actor{};
    if (!present)
      return;
    if (event.powered_off)
      caf::anon_send(present, guest_powered_off{event.vm});
    caf::anon_send(present, update_atom::value);
  });
  self->set_down_handler([=](const caf::down_msg& down) { absent(self, down.source); });
  self->send(self, tick_atom::value);
  return {
      [=](const attach_vm& x) { return attached(self, x.vm); },
      [=](const attach_migration& x) { return attached(self, x.migration); },
      [=](const vm_observation& x) { self->state.reports.add(x); },
      [=](const migration_observation& x) { self->state.reports.add(x); },
      [=](const prepare_migration& x) { return pass_on(self, x); },
      [=](const migration_performed& x) { return pass_on(self, x); },
      [=](const guest_powered_off& x) { self->state.table->powers_off(x.vm); },
      [=](update_atom) { self->state.look_soon = true; },
      [=](const continuation& x) { x.run(); },
      [=](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        tick(self);
      },
  };
}

} // namespace novacron
