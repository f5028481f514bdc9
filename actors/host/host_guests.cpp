#include "actors/host/host_guests.hpp"

#include "actors/migration/migration.hpp"
#include "actors/supervisor/counted_mailbox.hpp"
#include "actors/supervisor/supervision_spec.hpp"
#include "actors/vm/vm.hpp"

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto start_timeout = 5s;

std::string vm_child(vm_id vm) {
  return "vm-" + to_string(vm);
}
std::string migration_child(migration_id migration) {
  return "migration-" + to_string(migration);
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

} // namespace

// -- their lives -------------------------------------------------------------------

void carry_out(host_pointer self, const need_vm_actor& what) {
  auto context = self->state.context;
  auto& system = self->system();
  keep_alive(
      self, vm_child(what.vm),
      [&system, context, vm = what.vm] {
        return caf::actor_cast<caf::actor>(spawn_counted(system, novacron::vm, vm, context));
      },
      [self, vm = what.vm](const caf::actor& actor) {
        meet(self, vm, caf::actor_cast<vm_actor>(actor));
        carry_out(self, self->state.logic->present(vm, moment_of(self)));
      },
      [self, vm = what.vm] { self->state.logic->not_started(vm, moment_of(self)); });
}

void carry_out(host_pointer self, const need_migration_actor& what) {
  auto context = self->state.context;
  auto& system = self->system();
  auto side = what.source ? migration_side::source : migration_side::destination;
  keep_alive(
      self, migration_child(what.migration),
      [&system, context, id = what.migration, side] {
        return caf::actor_cast<caf::actor>(spawn_migration(system, id, side, context));
      },
      [self, id = what.migration](const caf::actor& actor) {
        meet(self, id, caf::actor_cast<migration_actor>(actor));
        carry_out(self, self->state.logic->present(id, moment_of(self)));
      },
      [self, id = what.migration] { self->state.logic->not_started(id, moment_of(self)); });
}

void meet(host_pointer self, vm_id vm, vm_actor actor) {
  self->monitor(actor);
  self->state.vms[vm] = std::move(actor);
}

void meet(host_pointer self, migration_id migration, migration_actor actor) {
  self->monitor(actor);
  self->state.migrations[migration] = std::move(actor);
}

void miss(host_pointer self, const caf::actor_addr& who) {
  auto& state = self->state;
  for (auto i = state.vms.begin(); i != state.vms.end(); ++i)
    if (i->second.address() == who) {
      auto vm = i->first;
      state.vms.erase(i);
      carry_out(self, state.logic->absent(vm, moment_of(self)));
      return;
    }
  for (auto i = state.migrations.begin(); i != state.migrations.end(); ++i)
    if (i->second.address() == who) {
      auto migration = i->first;
      state.migrations.erase(i);
      carry_out(self, state.logic->absent(migration));
      return;
    }
}

void carry_out(host_pointer self, const end_vm_actor& what) {
  self->state.vms.erase(what.vm);
  if (auto guests = self->state.context->guests.get())
    self->send(guests, stop_atom::value, vm_child(what.vm));
}

// -- words -------------------------------------------------------------------------

void carry_out(host_pointer self, const tell_vm& what) {
  if (auto actor = self->state.vms.find(what.word.vm.id); actor != self->state.vms.end())
    self->send(actor->second, what.word);
}

void carry_out(host_pointer self, const show_guest& what) {
  if (auto actor = self->state.vms.find(what.vm); actor != self->state.vms.end())
    self->send(actor->second, what.seen);
}

void carry_out(host_pointer self, const tell_migration& what) {
  auto& actors = self->state.migrations;
  if (auto actor = actors.find(what.word.migration.id); actor != actors.end())
    self->send(actor->second, what.word);
}

void carry_out(host_pointer self, const pass_on_request& what) {
  auto promise = self->state.requests.extract(what.ticket);
  auto actor = self->state.migrations.find(what.request.migration);
  if (!promise)
    return;
  if (actor == self->state.migrations.end())
    promise.mapped().deliver(
        caf::make_error(caf::sec::runtime_error, "the migration's actor has ended"));
  else
    promise.mapped().delegate(actor->second, what.request);
}

void carry_out(host_pointer self, const refuse_request& what) {
  if (auto promise = self->state.requests.extract(what.ticket))
    promise.mapped().deliver(caf::make_error(caf::sec::runtime_error, what.why));
}

caf::result<caf::ok_atom> pass_on(host_pointer self, const migration_performed& message) {
  auto actor = self->state.migrations.find(message.migration);
  if (actor == self->state.migrations.end())
    return caf::make_error(caf::sec::runtime_error, "this host knows no such migration");
  return self->delegate(actor->second, message);
}

} // namespace novacron
