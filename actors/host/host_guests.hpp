#pragma once

#include "actors/host/host.hpp"

namespace novacron {

using host_pointer = host_actor::stateful_pointer<host_actor_state>;

// How a host's actor reaches the actors of its VMs and migrations.

/// Does what the host's logic wants.
void carry_out(host_pointer self, const host_effects& effects);
/// Now, on the clocks of the host.
host_moment moment_of(host_pointer self);

/// Finds or starts the actor.
void carry_out(host_pointer self, const need_vm_actor& what);
void carry_out(host_pointer self, const need_migration_actor& what);
/// An actor has started, or was found running: from now on it is told.
void meet(host_pointer self, vm_id vm, vm_actor actor);
void meet(host_pointer self, migration_id migration, migration_actor actor);
/// An actor that was met has ended.
void miss(host_pointer self, const caf::actor_addr& who);

void carry_out(host_pointer self, const end_vm_actor& what);
void carry_out(host_pointer self, const tell_vm& what);
void carry_out(host_pointer self, const show_guest& what);
void carry_out(host_pointer self, const tell_migration& what);
void carry_out(host_pointer self, const pass_on_request& what);
void carry_out(host_pointer self, const refuse_request& what);

/// Passes a source's word on to the migration's actor, which answers it by itself.
caf::result<caf::ok_atom> pass_on(host_pointer self, const migration_performed& message);

} // namespace novacron
