#pragma once

#include "actors/frontend/frontend_state.hpp"
#include "guest_checker.hpp"
#include "history.hpp"
#include "machine.hpp"
#include "replica_node.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace novacron::sim {

/// How a cluster's hosts and clients live. Rates are mean intervals; 0 is never.
struct fleet_settings {
  uint64_t hosts = 0; ///< 0: only the group of replicas is simulated
  uint64_t lease_term_ms = 3'000;
  uint64_t renew_every_ms = 600;
  uint64_t drift_ppm = 10'000; ///< the bound, either way
  uint64_t clock_jump_every_ms = 0;
  uint64_t clock_jump_max_ms = 600'000;
  uint64_t agent_crash_every_ms = 0;
  uint64_t agent_down_max_ms = 2'000;
  uint64_t freeze_every_ms = 0;
  uint64_t freeze_max_ms = 6'000;
  uint64_t power_loss_every_ms = 0;
  uint64_t power_down_max_ms = 6'000;
  uint64_t cut_every_ms = 0; ///< a host from some controllers and hosts
  uint64_t cut_max_ms = 8'000;
  uint64_t fencer_kill_every_ms = 0; ///< alone, or with the agent
  uint64_t daemon_death_every_ms = 0;
  uint64_t daemon_hang_every_ms = 0;
  uint64_t actor_kill_every_ms = 0;
  uint64_t guest_end_every_ms = 0;
  hypervisor_faults hypervisor;
  fencer_settings fencer;
  uint64_t perform_max_ms = 1'500;
  uint64_t perform_breaks_permille = 100;
  uint64_t migrations_at_once = 4; ///< of each host

  uint64_t gateways = 0; ///< that every other client comes through; 0: none does
  uint64_t gateway_crash_every_ms = 0;
  uint64_t gateway_down_max_ms = 2'000;

  uint64_t clients = 3;
  uint64_t pause_ms = 200; ///< of a client between two calls, in the mean
  uint64_t vms = 8;
  uint64_t migrate_share = 3; ///< of ten calls on a VM
  size_t keep_changes = 150;  ///< revisions that a feed can resume from

  uint64_t crowd = 0; ///< calls at once, of the crowd that comes now and then
  frontend_config frontend;

  bool lease_margin = true; ///< else the leader ends leases as if none of its margins were needed
};

/// What the controllers, hosts and clients of one schedule share.
struct fleet {
  fleet(world& with, fleet_settings how) : all{with}, settings{how} {
    // nop
  }

  world& all;
  const fleet_settings settings;
  guest_checker guests{all.time, all.check};
  history past{all.check, all.seen};
  std::map<uint64_t, class controller*> controllers; ///< by number
  std::map<uint64_t, class host_node*> hosts;        ///< by number
  std::vector<vm_id> vms;                            ///< that clients have made
  uint64_t ids = 0;

  /// A number that nothing else in this schedule has.
  uuid fresh(uint64_t kind) { return {kind, ++ids}; }
  /// What stands for the digest of a call's body.
  std::array<std::byte, 32> fresh_body();

  /// What an entry that nobody applied before says of hosts' leases, to whoever
  /// counts guests.
  void note_leases(const applied_batch& done);

  std::function<void(uint64_t node)> when_removed; ///< empty: nobody wants to know
  /// And which nodes it removes for good.
  void note_removals(const applied_batch& done) const;

  /// The majority's disks are lost: of the log that was applied, this much is left.
  void log_lost_after(uint64_t held);
  /// An entry is applied by whoever recovers the cluster.
  void replayed(uint64_t index, const machine_image::applied& done);
  /// The new timeline begins at this index, with this state.
  void recovered(uint64_t index, const cluster_state& state);

  static node_id node_of(uint64_t number) { return {{1, number}}; }
  static uint64_t number_of(node_id node) { return node.value.low; }
};

} // namespace novacron::sim
