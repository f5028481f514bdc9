#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/host/host_context.hpp"
#include "actors/host/host_lease.hpp"
#include "actors/host/host_table.hpp"
#include "actors/host/report_batch.hpp"

#include <caf/typed_response_promise.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace novacron {

struct host_actor_state {
  std::shared_ptr<host_context> context;
  std::optional<host_table> table;
  std::optional<feed_follower> follower;
  std::optional<host_lease> lease;
  report_batch reports;

  std::unordered_map<vm_id, vm_actor> vms;
  std::unordered_map<migration_id, migration_actor> migrations;
  std::unordered_map<vm_id, guest_status> guests; ///< at the last look
  std::set<vm_id> strangers;   ///< guests that no VM of the log accounts for, said once
  std::set<vm_id> asked_about; ///< what the log knows of these guests' VMs is being read
  /// `lease->revision()` when nothing was here any more that belongs elsewhere, or
  /// to an older epoch: only then new guests start.
  uint64_t reconciled = 0;

  bool registered = false;
  bool asking_to_register = false;
  bool may_start = false; ///< as the VMs' actors were last told
  bool looking = false;   ///< at the hypervisor
  bool look_soon = true;
  std::chrono::steady_clock::time_point looked_at;
  std::chrono::steady_clock::time_point swept_at; ///< the guests' consoles

  /// A source that asked to prepare before the feed showed us its reservation.
  struct early_request {
    prepare_migration request;
    caf::typed_response_promise<migration_prepared> answer;
    std::chrono::steady_clock::time_point until;
  };
  std::vector<early_request> early;

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
