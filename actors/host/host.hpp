#pragma once

#include "actors/host/host_context.hpp"
#include "actors/host/host_logic.hpp"

#include <caf/typed_response_promise.hpp>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace novacron {

struct host_actor_state {
  host_actor_state() = default;
  ~host_actor_state(); ///< refuses the sources that wait

  std::shared_ptr<host_context> context;
  std::optional<host_logic> logic;

  // Those of them that are there.
  std::unordered_map<vm_id, vm_actor> vms;
  std::unordered_map<migration_id, migration_actor> migrations;

  /// Sources that wait for an answer to their request, by its ticket.
  std::map<uint64_t, caf::typed_response_promise<migration_prepared>> requests;
  uint64_t last_ticket = 0;

  std::chrono::steady_clock::time_point swept_at; ///< the guests' consoles

  static constexpr const char* name = "host";
};

/// Runs one host. Killed and restarted it lists its part of the log with a
/// linearizable read, looks at the hypervisor, finds or restarts its VMs' and
/// migrations' actors, and starts no guest before a lease granted after its
/// restart, and before what doesn't belong here is gone; the fencer guards
/// meanwhile. The same holds after its lease was over.
host_actor::behavior_type host(host_actor::stateful_pointer<host_actor_state> self,
                               std::shared_ptr<host_context> context);

} // namespace novacron
