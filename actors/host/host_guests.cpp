#include "actors/host/host_guests.hpp"

#include "actors/feed/follow.hpp"
#include "actors/host/boot_clock.hpp"
#include "actors/migration/migration.hpp"
#include "actors/supervisor/counted_mailbox.hpp"
#include "actors/supervisor/supervision_spec.hpp"
#include "actors/vm/vm.hpp"

#include <algorithm>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto start_timeout = 5s;
constexpr auto start_again_after = 100ms;
constexpr auto early_patience = 5s;
constexpr size_t most_early_requests = 64;
constexpr auto prepare_patience = 90s;
constexpr auto performed_patience = 20s;

std::string vm_child(vm_id vm) {
  return "vm-" + to_string(vm);
}
std::string migration_child(migration_id migration) {
  return "migration-" + to_string(migration);
}

guest_seen::presence presence_of(guest_phase phase) {
  switch (phase) {
  case guest_phase::paused:
    return guest_seen::presence::paused;
  case guest_phase::running:
    return guest_seen::presence::running;
  case guest_phase::stopping:
    return guest_seen::presence::stopping;
  case guest_phase::incoming:
    return guest_seen::presence::incoming;
  case guest_phase::crashed:
    return guest_seen::presence::crashed;
  }
  return guest_seen::presence::crashed;
}

/// Adds a child to those whom the guests' supervisor keeps alive; `then` gets
/// the handle, of the running one if there was one.
template <class Then, class Otherwise>
void keep_alive(host_pointer self, std::string name, std::function<caf::actor()> start, Then then,
                Otherwise otherwise) {
  auto guests = self->state.context->guests.get();
  if (!guests) {
    otherwise();
    return;
  }
  auto spec = std::make_shared<child_spec>();
  spec->name = std::move(name);
  spec->restart = restart_type::transient;
  spec->start = [start = std::move(start)](caf::local_actor&) { return start(); };
  self->request(guests, start_timeout, std::shared_ptr<const child_spec>{spec})
      .then(then, [otherwise](const caf::error&) { otherwise(); });
}

/// The guests' supervisor was not there, or died with what we asked of it: what was
/// to be started is looked at again soon, whether or not the log has something new of it.
template <class Look>
void again_soon(host_pointer self, Look look) {
  self->delayed_send(self, start_again_after, continuation{look});
}

void start_vm(host_pointer self, vm_id vm) {
  auto context = self->state.context;
  auto& system = self->system();
  self->state.vms.insert_or_assign(
      vm, vm_actor{}); // asked for; a repeat would be harmless, but not free
  keep_alive(
      self, vm_child(vm),
      [&system, context, vm] {
        return caf::actor_cast<caf::actor>(spawn_counted(system, novacron::vm, vm, context));
      },
      [self, vm](const caf::actor& actor) {
        present(self, vm, caf::actor_cast<vm_actor>(actor));
        tell_vm(self, vm);
      },
      [self, vm] {
        self->state.vms.erase(vm);
        again_soon(self, [self, vm] { tell_vm(self, vm); });
      });
}

void tell_migration(host_pointer self, migration_id id) {
  auto& state = self->state;
  const auto* record = state.table->find(id);
  auto actor = state.migrations.find(id);
  if (actor != state.migrations.end() && actor->second) {
    if (auto word = state.table->word_for(id))
      self->send(actor->second, *word);
    return;
  }
  if (actor != state.migrations.end() || !record || !state.table->needs_actor(*record))
    return;
  state.migrations.insert_or_assign(id, migration_actor{});
  auto context = state.context;
  auto& system = self->system();
  auto side
      = record->from == context->self.id ? migration_side::source : migration_side::destination;
  keep_alive(
      self, migration_child(id),
      [&system, context, id, side] {
        return caf::actor_cast<caf::actor>(spawn_migration(system, id, side, context));
      },
      [self, id](const caf::actor& handle) {
        present(self, id, caf::actor_cast<migration_actor>(handle));
        tell_migration(self, id);
        serve_early_requests(self);
      },
      [self, id] {
        self->state.migrations.erase(id);
        again_soon(self, [self, id] { tell_migration(self, id); });
      });
}

/// The log tells us only of VMs that have to do with this host. One that was placed
/// elsewhere while we were away has not: so it is asked for.
void ask_about(host_pointer self, vm_id vm) {
  auto& state = self->state;
  auto source = state.context->feed.get();
  if (!source || !state.asked_about.insert(vm).second)
    return;
  self->request(source, follow_timeout, list_request{{}, {}, 65'536, true, vm})
      .then(
          [self, vm](const feed_listing& page) {
            auto& now = self->state;
            now.asked_about.erase(vm);
            now.look_soon = true;
            if (!page.records.empty()) {
              if (const auto* record = std::get_if<vm_record>(&page.records.front()))
                now.table->learn(*record);
            } else if (now.strangers.insert(vm).second) {
              now.context->log.warning("host",
                                       "a guest runs here that no VM of the log accounts for; "
                                       "it is left alone: end it by hand if it isn't needed",
                                       {{"vm", to_string(vm)}});
            }
          },
          [self, vm](const caf::error&) { self->state.asked_about.erase(vm); });
}

/// Whether the log's word is no older than the lease.
bool word_is_current(host_pointer self) {
  const auto& state = self->state;
  return state.lease->held(boot_clock_now()) && state.lease->revision() != 0
         && state.follower->revision() >= state.lease->revision();
}

void take_inventory(host_pointer self) {
  auto& state = self->state;
  bool settled = word_is_current(self);
  for (const auto& [vm, guest] : state.guests) {
    if (state.strangers.contains(vm) || state.table->belongs_here(vm, guest.epoch))
      continue;
    settled = false;
    if (!state.table->find(vm))
      ask_about(self, vm);
  }
  if (settled)
    state.reconciled = state.lease->revision();
}

void guests_seen(host_pointer self, const std::vector<guest_status>& guests,
                 std::chrono::steady_clock::time_point asked) {
  auto& state = self->state;
  state.guests.clear();
  for (const auto& guest : guests)
    state.guests.emplace(guest.vm, guest);
  for (const auto& [vm, guest] : state.guests)
    if (!state.vms.contains(vm) && state.table->find(vm))
      start_vm(self, vm); // placed elsewhere, but something of it is here
  for (const auto& [vm, actor] : state.vms) {
    if (!actor)
      continue;
    guest_seen seen;
    seen.asked = asked;
    seen.powered_off = state.table->powered_off(vm);
    if (auto guest = state.guests.find(vm); guest != state.guests.end()) {
      seen.guest = presence_of(guest->second.phase);
      seen.epoch = guest->second.epoch;
      seen.migration_source = guest->second.migration_source;
    }
    self->send(actor, seen);
  }
  take_inventory(self);
}

} // namespace

void present(host_pointer self, vm_id vm, vm_actor actor) {
  self->monitor(actor);
  self->state.vms[vm] = std::move(actor);
  self->state.look_soon = true;
}

void present(host_pointer self, migration_id migration, migration_actor actor) {
  self->monitor(actor);
  self->state.migrations[migration] = std::move(actor);
}

void absent(host_pointer self, const caf::actor_addr& who) {
  auto& state = self->state;
  for (auto i = state.vms.begin(); i != state.vms.end(); ++i)
    if (i->second.address() == who) {
      auto vm = i->first;
      state.vms.erase(i);
      tell_vm(self, vm); // finds or starts the next incarnation, if one is needed
      return;
    }
  for (auto i = state.migrations.begin(); i != state.migrations.end(); ++i)
    if (i->second.address() == who) {
      auto migration = i->first;
      state.migrations.erase(i);
      tell_migration(self, migration);
      return;
    }
}

bool starting_allowed(host_pointer self) {
  return word_is_current(self) && self->state.reconciled == self->state.lease->revision();
}

bool inventory_is_due(host_pointer self) {
  return word_is_current(self) && self->state.reconciled != self->state.lease->revision();
}

void tell_vm(host_pointer self, vm_id vm) {
  auto& state = self->state;
  auto word = state.table->word_for(vm);
  auto actor = state.vms.find(vm);
  if (!word) {
    if (actor != state.vms.end() && !state.guests.contains(vm)) {
      if (auto guests = state.context->guests.get())
        self->send(guests, stop_atom::value, vm_child(vm));
      state.vms.erase(actor);
    }
    return;
  }
  if (actor == state.vms.end()) {
    if (state.table->needs_actor(word->vm))
      start_vm(self, vm);
    return;
  }
  if (!actor->second)
    return; // it is starting, and will be told
  word->may_start = starting_allowed(self);
  self->send(actor->second, *word);
}

void pass_on_changes(host_pointer self) {
  auto& table = *self->state.table;
  for (auto vm : table.take_changed_vms())
    tell_vm(self, vm);
  for (auto migration : table.take_changed_migrations())
    tell_migration(self, migration);
}

void look_at_guests(host_pointer self) {
  auto& state = self->state;
  if (state.looking || !state.follower->complete())
    return;
  state.looking = true;
  state.look_soon = false;
  auto asked = self->clock().now();
  state.looked_at = asked;
  call_blocking(
      self, *state.context->pool, state.context->self.id.value,
      [context = state.context] { return context->driver->list(); },
      [self, asked](const result<std::vector<guest_status>>& guests) {
        self->state.looking = false;
        if (guests)
          guests_seen(self, *guests, asked);
        else
          self->state.context->log.warning("host", guests.error().message);
      });
}

void serve_early_requests(host_pointer self) {
  auto& early = self->state.early;
  auto now = self->clock().now();
  for (auto i = early.begin(); i != early.end();) {
    auto actor = self->state.migrations.find(i->request.migration);
    if (actor != self->state.migrations.end() && actor->second) {
      auto answer = i->answer;
      self->request(actor->second, prepare_patience, i->request)
          .then([answer](const migration_prepared& x) mutable { answer.deliver(x); },
                [answer](const caf::error& why) mutable { answer.deliver(why); });
      i = early.erase(i);
    } else if (now >= i->until) {
      i->answer.deliver(caf::make_error(caf::sec::runtime_error,
                                        "the reservation is not in this host's copy of the log"));
      i = early.erase(i);
    } else {
      ++i;
    }
  }
}

caf::result<migration_prepared> pass_on(host_pointer self, const prepare_migration& request) {
  if (self->state.early.size() >= most_early_requests)
    return caf::make_error(caf::sec::runtime_error, "too many migrations come here at once");
  auto answer = self->make_response_promise<migration_prepared>();
  self->state.early.push_back({request, answer, self->clock().now() + early_patience});
  serve_early_requests(self);
  return answer;
}

caf::result<caf::ok_atom> pass_on(host_pointer self, const migration_performed& message) {
  auto actor = self->state.migrations.find(message.migration);
  if (actor == self->state.migrations.end() || !actor->second)
    return caf::make_error(caf::sec::runtime_error, "this host knows no such migration");
  auto answer = self->make_response_promise<caf::ok_atom>();
  self->request(actor->second, performed_patience, message)
      .then([answer](caf::ok_atom ok) mutable { answer.deliver(ok); },
            [answer](const caf::error& why) mutable { answer.deliver(why); });
  return answer;
}

} // namespace novacron
