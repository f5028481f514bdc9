#pragma once

#include "actors/host/host.hpp"

namespace novacron {

using host_pointer = host_actor::stateful_pointer<host_actor_state>;

// How a host's actor looks after the actors of its VMs and migrations.

/// Tells each actor whose record has changed, and starts those that are missing.
void pass_on_changes(host_pointer self);
/// An actor has started, or was found running.
void present(host_pointer self, vm_id vm, vm_actor actor);
void present(host_pointer self, migration_id migration, migration_actor actor);
/// An actor that was present has ended.
void absent(host_pointer self, const caf::actor_addr& who);
/// Tells one VM's actor, and starts it if it is needed and missing.
void tell_vm(host_pointer self, vm_id vm);
/// Looks at the hypervisor, unless a look is under way, and tells the VMs' actors.
void look_at_guests(host_pointer self);
/// Answers early requests whose migration's actor is there by now.
void serve_early_requests(host_pointer self);
/// Passes a source's request on to the migration's actor.
caf::result<migration_prepared> pass_on(host_pointer self, const prepare_migration& request);
caf::result<caf::ok_atom> pass_on(host_pointer self, const migration_performed& message);
/// Guests may start now: the lease is held, what we know is no older than it, and
/// nothing is here that belongs elsewhere or to an older epoch.
bool starting_allowed(host_pointer self);
/// All of that holds but for the last, which a look at the hypervisor must show.
bool inventory_is_due(host_pointer self);

} // namespace novacron
