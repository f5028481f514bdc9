#pragma once

#include "actors/host/host_context.hpp"
#include "actors/vm/vm_state.hpp"

namespace novacron {

struct vm_actor_state {
  vm_state vm;
  host_actor host; ///< whoever told us last; invalid before
  static constexpr const char* name = "vm";
};

/// Drives `id` on its host. Killed and restarted, it asks the host for the
/// log's word, has the hypervisor looked at, and goes on from there.
vm_actor::behavior_type vm(vm_actor::stateful_pointer<vm_actor_state> self, vm_id id,
                           std::shared_ptr<host_context> context);

} // namespace novacron
