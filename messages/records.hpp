#pragma once

#include "messages/ids.hpp"
#include "messages/log_time.hpp"
#include "messages/migration_record.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace novacron {

// -- virtual machines ------------------------------------------------------------

/// What an operator wants of a VM.
enum class requested_state : uint8_t { stopped, running, paused, deleted };

/// What a VM's host last saw of it.
enum class actual_state : uint8_t {
  defined, ///< placed, no guest anywhere
  starting,
  running,
  paused,
  stopping,
  migrating,
  failed, ///< the guest ended by itself or could not be started; `reason` says why
  lost,   ///< its host is lost; `fenced` says whether the guest's fate is known
  gone,   ///< deleted, and the host has confirmed that nothing is left
};

/// What happens when a guest ends without having been asked to. Guests whose
/// policy isn't `never` are bound to their host's lease.
enum class restart_policy : uint8_t {
  never,
  on_failure, ///< it is started again, unless it has switched itself off
  always,     ///< it is started again in any case
};

/// Where a VM may and would rather be. A group is a word that VMs share; each VM
/// says which it belongs to. Lists are sorted and without repeats.
struct placement_rules {
  std::vector<std::string> groups;                     ///< it belongs to these
  std::map<std::string, std::string> required_labels;  ///< of its host
  std::map<std::string, std::string> preferred_labels; ///< of its host
  std::vector<std::string> required_affinity;          ///< beside a VM of each of these groups
  std::vector<std::string> preferred_affinity;
  std::vector<std::string> required_anti_affinity; ///< beside no other VM of these groups
  std::vector<std::string> preferred_anti_affinity;

  friend bool operator==(const placement_rules&, const placement_rules&) = default;
};

/// What a VM is made of. Images are names from the hosts' catalogues, never paths.
struct vm_spec {
  uint32_t vcpus = 1;
  uint64_t memory_mib = 256;
  std::string image;
  std::string kernel_arguments;
  restart_policy restart = restart_policy::never;
  std::map<std::string, std::string> labels;
  placement_rules placement{};
  /// It has a card in each, in this order; sorted, without repeats. Since cluster version 8.
  std::vector<std::string> networks{};

  /// Bound to the lease of the host it runs on.
  [[nodiscard]] bool ha() const { return restart != restart_policy::never; }
  friend bool operator==(const vm_spec&, const vm_spec&) = default;
};

/// What a VM's restart policy has done about its guest's ends, and will do.
struct restart_record {
  /// Restarts in a row, the one that is due included: since somebody started
  /// the VM, or its guest ended after it had run for ten minutes.
  uint32_t count = 0;
  std::vector<log_time> ends; ///< of that row's latest guests, oldest first; at most as many as
                              ///< are too many
  log_time due;               ///< when it is restarted, at the earliest; zero: it doesn't wait
  log_time running_since;     ///< when its guest was first seen to run; zero: not yet

  friend bool operator==(const restart_record&, const restart_record&) = default;
};

/// A VM: what is requested, where it is placed, and what its host last reported.
struct vm_record {
  vm_id id;
  std::string name; ///< unique among the VMs that aren't gone
  vm_spec spec;
  requested_state requested = requested_state::stopped;
  node_id host;          ///< where it is placed
  novacron::epoch epoch; ///< of that placement
  actual_state actual = actual_state::defined;
  std::string reason;         ///< why `failed` or `lost`
  novacron::epoch seen_epoch; ///< of the guest that `actual` speaks of
  boot_id seen_boot;
  uint64_t seen_sequence = 0; ///< of the report that `actual` comes from
  migration_id migration;     ///< nil unless one is undecided or unfinished
  operation_id operation;     ///< the latest that has not ended; nil for none
  log_time created;
  log_time changed;
  uint64_t revision = 0; ///< log index of the last change
  restart_record restarts;
  /// While `lost`: its guest surely runs no more, so it may start elsewhere.
  bool fenced = false;

  friend bool operator==(const vm_record&, const vm_record&) = default;
};

// -- hosts -----------------------------------------------------------------------

enum class host_state : uint8_t {
  joining,
  up,
  cordoned,
  draining,
  drained,
  unreachable,
  fenced,
  gone
};

/// A node that runs guests.
struct host_record {
  node_id id;
  std::string name;
  std::string mesh_address; ///< "address:port" of the node's door
  std::string page_address; ///< "address:port" of its DWCP door
  uint32_t vcpus = 0;
  uint64_t memory_mib = 0;
  std::vector<std::string> images;    ///< names it can start guests from
  std::string hypervisor;             ///< driver and versions
  std::string accelerator;            ///< "kvm", "tcg" or "simulated"
  std::string live_migration_problem; ///< empty: it can
  boot_id boot;
  host_state state = host_state::joining;
  log_time changed;
  uint64_t revision = 0;
  bool fences = false; ///< its `ha` guests end by themselves when its lease is over
  /// While unreachable or fenced: the number of its last lease; else 0.
  uint64_t lost_lease = 0;

  std::map<std::string, std::string> labels{}; ///< from its configuration
  uint32_t memory_overcommit_percent = 100;    ///< guests' memory for what it has; 100: none twice
  uint32_t vcpu_overcommit_percent = 800;
  /// What guests that run on its real CPU may rely on, sorted; empty: guests'
  /// CPU doesn't depend on the host's.
  std::vector<std::string> cpu_features;
  /// Its state while it can be reached: up, cordoned, draining or drained.
  host_state maintenance = host_state::up;
  /// Its latest drain or evacuation; nil: there was none, or it was called off.
  task_id drain;
  /// Has not said what runs there since the cluster was recovered from one survivor.
  bool awaited = false;
  /// As many migrations are under way from and to it at a time. Since cluster version 7.
  uint32_t migrations_at_once = 4;
  /// And as many between its site and any one other, by the label `site`.
  uint32_t migrations_between_sites = 2;
  std::vector<std::string> networks{}; ///< that its guests can be in. Since cluster version 8.

  /// The same, and nobody has said that it is off: nothing is placed or started
  /// anywhere meanwhile.
  [[nodiscard]] bool is_awaited() const {
    return awaited && state != host_state::fenced && state != host_state::gone;
  }

  friend bool operator==(const host_record&, const host_record&) = default;
};

/// A host's permission to run `ha` guests. Kept in the log, not in the feed:
/// it is renewed every few seconds.
struct lease_record {
  node_id host;
  boot_id boot;
  uint64_t renewal = 0; ///< rises with each; `expire` compares it
  std::chrono::milliseconds term{0};
  log_time granted;
  bool expired = false;

  friend bool operator==(const lease_record&, const lease_record&) = default;
};

// -- operations ------------------------------------------------------------------

enum class operation_verb : uint8_t { create, start, stop, pause, resume, migrate, remove };
enum class operation_state : uint8_t { running, succeeded, failed };

/// What became of an accepted API call.
struct operation_record {
  operation_id id;
  operation_verb verb = operation_verb::create;
  vm_id vm;
  migration_id migration; ///< nil unless the verb is migrate
  operation_state state = operation_state::running;
  std::string error; ///< why it failed
  log_time created;
  log_time ended;
  uint64_t revision = 0;

  friend bool operator==(const operation_record&, const operation_record&) = default;
};

// -- tasks -----------------------------------------------------------------------

enum class task_kind : uint8_t {
  drain,      ///< all VMs leave one host
  rebalance,  ///< some VMs move, so that hosts are loaded alike
  evacuation, ///< all VMs of one host that is off get another; since cluster version 6
};

enum class task_state : uint8_t {
  running,
  finished, ///< every VM is where it should be
  failed,   ///< some aren't, and nothing more is tried
  cancelled,
};

enum class move_state : uint8_t {
  waiting, ///< for its turn, or for what `reason` says
  moving,  ///< its migration is under way, or waits for its turn; of an evacuation: it has a place,
           ///< and starts there
  finished,
  failed, ///< `reason` says why
};

/// What a drain does about VMs that haven't left when its deadline comes.
enum class deadline_policy : uint8_t {
  leave, ///< they stay, and the drain has failed
  stop,  ///< their guests are stopped, and they are placed elsewhere
};

/// One VM's part of a task.
struct task_move {
  vm_id vm;
  move_state state = move_state::waiting;
  node_id to;             ///< nil: the scheduler chooses, or it has not chosen yet
  migration_id migration; ///< while it is moving
  uint32_t attempts = 0;  ///< migrations that were rolled back
  bool stopped = false;   ///< its guest was stopped, as the deadline's policy says
  std::string reason;     ///< what it waits for, or why it failed

  friend bool operator==(const task_move&, const task_move&) = default;
};

/// VMs that are moved, a few at a time, whoever leads.
struct task_record {
  task_id id;
  task_kind kind = task_kind::drain;
  node_id host; ///< the one that is drained or evacuated; nil for a rebalance
  task_state state = task_state::running;
  uint32_t parallel = 2; ///< as many of its VMs move at a time
  log_time deadline;     ///< zero: none
  deadline_policy then = deadline_policy::leave;
  std::vector<task_move> moves;
  log_time created;
  log_time ended;
  uint64_t revision = 0;

  friend bool operator==(const task_record&, const task_record&) = default;
};

// -- nodes -----------------------------------------------------------------------

enum class node_role : uint8_t { controller = 1, gateway = 2, host = 3 };
std::string to_string(node_role x);

/// What an operator wants a node to be among the replicas.
enum class member_wish : uint8_t {
  unsaid,  ///< a controller is a standby at least, and a voter if it founded the group
  standby, ///< gets the log and doesn't vote
  voter,
  leaving, ///< to be taken out of the group, then `removed`
  removed, ///< its certificate counts no more, for ever
};
std::string to_string(member_wish x);

/// A node of the cluster, whatever it does there.
struct node_record {
  node_id id;
  std::string name;             ///< unique among the nodes that aren't removed
  std::vector<node_role> roles; ///< as its certificate says
  std::string mesh_address;     ///< "address:port" of its door
  uint64_t disk = 0;            ///< of its replica's database; 0: it has none, or hasn't said
  member_wish wish = member_wish::unsaid;
  node_id replaces; ///< is to leave as soon as this one votes; nil: nobody
  log_time changed;
  uint64_t revision = 0;

  friend bool operator==(const node_record&, const node_record&) = default;
};

/// Lets one new node in, once. The token itself is a private key that its bearer
/// signs with and shows to nobody.
struct join_token_record {
  token_id id;
  std::array<std::byte, 32> key{}; ///< the public one, Ed25519
  std::vector<node_role> roles;    ///< of the node that comes
  log_time created;
  log_time expires;
  node_id used_by; ///< nil: not yet
  uint64_t revision = 0;

  friend bool operator==(const join_token_record&, const join_token_record&) = default;
};

// -- names of the states, as the API and the command line write them ----------------

std::string to_string(requested_state x);
std::string to_string(actual_state x);
std::string to_string(restart_policy x);
std::string to_string(host_state x);
std::string to_string(migration_phase x);
std::string to_string(operation_verb x);
std::string to_string(operation_state x);
std::string to_string(task_kind x);
std::string to_string(task_state x);
std::string to_string(move_state x);
std::string to_string(deadline_policy x);

} // namespace novacron
