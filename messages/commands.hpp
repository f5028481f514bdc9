#pragma once

#include "messages/records.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace novacron {

// A command is a wish that enters the log. Time, ids and random choices come
// inside it; applying it is a pure function of the state and the command.

/// Who asks, and the key under which asking again is harmless. Kept for 24 h.
struct idempotency {
  std::string principal;
  std::string key;                       ///< empty: the call is not remembered
  std::array<std::byte, 32> body_hash{}; ///< SHA-256 of verb, path and body

  friend bool operator==(const idempotency&, const idempotency&) = default;
};

/// Make a VM, stopped, on the host that the scheduler chose.
struct create_vm {
  vm_id vm;
  std::string name;
  vm_spec spec;
  node_id host;
  operation_id operation;

  friend bool operator==(const create_vm&, const create_vm&) = default;
};

/// Change what is requested of a VM. A request to stop or delete aborts a
/// migration that is not decided.
struct request_state {
  vm_id vm;
  requested_state requested = requested_state::stopped;
  uint64_t if_revision = 0; ///< not 0: only if the VM is still at this revision
  operation_id operation;

  friend bool operator==(const request_state&, const request_state&) = default;
};

/// Reserve the destination of a live migration, which begins when its turn comes: at once,
/// unless one of its hosts, or the link between their sites, has enough to do.
struct reserve_migration {
  migration_id migration;
  vm_id vm;
  node_id to;
  uint64_t if_revision = 0;
  operation_id operation;
  migration_terms terms{};

  friend bool operator==(const reserve_migration&, const reserve_migration&) = default;
};

enum class migration_decision : uint8_t {
  commit,       ///< the guest is the destination's from now on
  abort,        ///< it stays the source's
  return_guest, ///< after a commit: the destination never ran it; it is the source's again
};

/// Decide a migration. Compare-and-set on (migration, epoch): the first one
/// wins, later ones learn what was decided. The commit point.
struct decide_migration {
  migration_id migration;
  novacron::epoch epoch; ///< of the guest at the source
  migration_decision decision = migration_decision::abort;
  std::string reason;
  bool may_pass = false; ///< of an abort: trying again may help

  friend bool operator==(const decide_migration&, const decide_migration&) = default;
};

/// What a host sees of one VM.
struct vm_observation {
  vm_id vm;
  novacron::epoch epoch; ///< of the guest that is spoken of, or of the permission that failed
  /// Of a guest that has ended though it is wanted: `defined` if it switched
  /// itself off, in order; `failed` if it crashed, or nobody knows why.
  actual_state actual = actual_state::defined;
  std::string reason;

  friend bool operator==(const vm_observation&, const vm_observation&) = default;
};

/// What a host has done for the end of a migration.
struct migration_observation {
  migration_id migration;
  bool clean
      = false; ///< this side's part is done: source resumed or destroyed, copy dropped or running
  migration_cost cost; ///< from the source, with `clean`

  friend bool operator==(const migration_observation&, const migration_observation&) = default;
};

/// What a host sees, batched. `sequence` rises over all reports of one boot of
/// the host (the agent takes CLOCK_BOOTTIME in nanoseconds), so that a report
/// that was overtaken is dropped.
struct host_report {
  node_id host;
  boot_id boot;
  uint64_t sequence = 0;
  std::vector<vm_observation> vms;
  std::vector<migration_observation> migrations;

  friend bool operator==(const host_report&, const host_report&) = default;
};

/// A host says who and where it is; sent at each start of its agent.
struct register_host {
  host_record host; ///< state, changed and revision are ignored

  friend bool operator==(const register_host&, const register_host&) = default;
};

/// After a recovery: the host has looked at all its guests since it registered, and none runs
/// there that the log doesn't know of, or has elsewhere or under another epoch. Since cluster
/// version 5.
struct confirm_inventory {
  node_id host;
  boot_id boot;

  friend bool operator==(const confirm_inventory&, const confirm_inventory&) = default;
};

/// Extend a host's lease: the term counts from the apply.
struct renew_lease {
  node_id host;
  boot_id boot;
  std::chrono::milliseconds term{0};

  friend bool operator==(const renew_lease&, const renew_lease&) = default;
};

/// End a lease that was not renewed. Compare-and-set on `renewal`.
struct expire_lease {
  node_id host;
  uint64_t renewal = 0;

  friend bool operator==(const expire_lease&, const expire_lease&) = default;
};

/// Changes nothing: its commit shows that everything before it is committed.
struct barrier {
  friend bool operator==(const barrier&, const barrier&) = default;
};

/// Give a lost VM, whose guest surely runs no more, another host and a new
/// permission to start. Compare-and-set on (epoch, lease): the first one wins,
/// and none that was decided from an older state.
struct replace_vm {
  vm_id vm;
  novacron::epoch epoch; ///< of the guest that was lost
  uint64_t lease = 0;    ///< `host_record::lost_lease` of the host that it was lost with
  node_id to;            ///< nil, to a frontend: the scheduler chooses. Nil in the log: none fits
  std::string problem;   ///< with nil: what is missing, for the VM's `reason`

  friend bool operator==(const replace_vm&, const replace_vm&) = default;
};

/// An operator's word that an unreachable host is off: nothing runs there.
struct fence_host {
  node_id host;
  /// Of the evacuation that begins with it; nil: none does. Since cluster version 6, ignored
  /// before.
  task_id task{};

  friend bool operator==(const fence_host&, const fence_host&) = default;
};

// -- maintenance; since cluster version 3 ------------------------------------------

enum class maintenance_wish : uint8_t {
  cordon,   ///< the host gets no more VMs
  uncordon, ///< it does again; a drain that runs is called off
  drain,    ///< its VMs leave it
  evacuate, ///< it is fenced, and all its VMs get another; since cluster version 6
};

/// What an operator wants of a host.
struct maintain_host {
  node_id host;
  maintenance_wish wish = maintenance_wish::cordon;
  task_id task;                          ///< of a drain or an evacuation
  uint32_t parallel = 2;                 ///< of a drain
  std::chrono::milliseconds deadline{0}; ///< of a drain, from the apply; 0: none
  deadline_policy then = deadline_policy::leave;

  friend bool operator==(const maintain_host&, const maintain_host&) = default;
};

struct planned_move {
  vm_id vm;
  node_id to;

  friend bool operator==(const planned_move&, const planned_move&) = default;
};

/// Make the moves that a plan proposed.
struct start_rebalance {
  task_id task;
  uint32_t parallel = 2;
  std::vector<planned_move> moves;

  friend bool operator==(const start_rebalance&, const start_rebalance&) = default;
};

/// A task's order: move this VM now, by a live migration, or, when it has no
/// guest, by placing it elsewhere. Compare-and-set: the VM waits its turn, and
/// so many attempts were made; a second driver of the task changes nothing.
struct move_vm {
  task_id task;
  vm_id vm;
  uint32_t attempt = 0; ///< `task_move::attempts`
  node_id to;           ///< nil, before the scheduler has chosen
  migration_id migration;

  friend bool operator==(const move_vm&, const move_vm&) = default;
};

/// Why a VM of a task can't be moved now. Compare-and-set, as above.
struct note_move {
  task_id task;
  vm_id vm;
  uint32_t attempt = 0;
  std::string reason;

  friend bool operator==(const note_move&, const note_move&) = default;
};

/// End a task; migrations that are under way go on.
struct cancel_task {
  task_id task;

  friend bool operator==(const cancel_task&, const cancel_task&) = default;
};

// -- nodes; since cluster version 3 ------------------------------------------------

/// A node says who and where it is, and on which disk its replica is; sent at
/// each start. One whose disk was exchanged is refused.
struct register_node {
  node_record node; ///< wish, replaces, changed and revision are ignored

  friend bool operator==(const register_node&, const register_node&) = default;
};

/// What a node is to be among the replicas. The leader sees to it.
struct wish_member {
  node_id node;
  member_wish wish = member_wish::standby;
  node_id replaces; ///< with `voter`: leaves as soon as `node` votes

  friend bool operator==(const wish_member&, const wish_member&) = default;
};

/// Make a token that lets one node in.
struct make_join_token {
  token_id token;
  std::array<std::byte, 32> key{};
  std::vector<node_role> roles;
  std::chrono::milliseconds life{0};

  friend bool operator==(const make_join_token&, const make_join_token&) = default;
};

/// A token's bearer comes as `node`. Again by the same node is harmless.
struct use_join_token {
  token_id token;
  node_record node; ///< id, name and mesh_address count

  friend bool operator==(const use_join_token&, const use_join_token&) = default;
};

/// The majority was lost, and the cluster goes on from what `survivor` had:
/// other controllers are removed, and all hosts are awaited.
struct recover_cluster {
  node_id survivor;

  friend bool operator==(const recover_cluster&, const recover_cluster&) = default;
};

/// Every replica says the hash of its state as it is after this entry; one that has
/// another than most stops. Since cluster version 4.
struct compare_states {
  friend bool operator==(const compare_states&, const compare_states&) = default;
};

using command_body
    = std::variant<create_vm, request_state, reserve_migration, decide_migration, host_report,
                   register_host, renew_lease, expire_lease, barrier, replace_vm, fence_host,
                   maintain_host, start_rebalance, move_vm, note_move, cancel_task, register_node,
                   wish_member, make_join_token, use_join_token, recover_cluster, compare_states,
                   confirm_inventory>;

/// The first cluster version whose programs know such a command. None of a later
/// version than the cluster's enters the log: it would stop who doesn't know it.
uint32_t least_version(const command_body& x);

struct command {
  command_body body;
  novacron::idempotency idempotency;

  friend bool operator==(const command&, const command&) = default;
};

/// One entry of the log: several commands that share an index.
struct command_batch {
  uint32_t group = 0;
  uint32_t timeline = 0;
  uint32_t cluster_version = 1; ///< a replica that doesn't know it stops
  log_time time;                ///< the proposer's clock; apply never lets it go back
  std::vector<command> commands;

  friend bool operator==(const command_batch&, const command_batch&) = default;
};

/// Why a command was refused. Refusals are deterministic: every replica gives
/// the same one.
enum class command_errc : uint8_t {
  none = 0,
  unknown_vm,
  unknown_host,
  unknown_migration,
  name_taken,
  vm_deleted,
  wrong_state, ///< the VM's state doesn't allow it; the detail says which would
  no_capacity,
  same_host,
  migration_in_progress,
  already_decided, ///< the migration was decided otherwise; the outcome carries its phase
  stale_epoch,
  revision_mismatch,
  key_reused, ///< same Idempotency-Key, other body
  stale_report,
  stale_lease,
  unknown_outcome, ///< not from apply: it may or may not have been committed; ask again with the
                   ///< same key
  not_leader,      ///< not from apply: nothing was committed here
  overloaded,      ///< nothing was done; come back later. From apply: too many migrations wait
  rule_broken,     ///< a required placement rule, of the VM or of those on the host, forbids it
  unknown_task,
  unknown_node,
  node_removed,  ///< its certificate counts no more
  other_disk,    ///< the node's replica was on another disk; it is to be replaced
  node_in_use,   ///< there are guests on it
  bad_token,     ///< no such token, or used, or too old
  hosts_awaited, ///< the cluster was recovered, and not all hosts have said what runs there
  needs_upgrade  ///< not from apply: some controller's program doesn't know such commands yet
};
std::string to_string(command_errc x);

/// What became of one command.
struct command_outcome {
  command_errc error = command_errc::none;
  std::string detail;    ///< a sentence for people: what, why, what to do
  uint64_t revision = 0; ///< log index at which it was applied
  bool repeated = false; ///< the answer to an earlier call with the same key
  vm_id vm;
  operation_id operation;
  migration_id migration;
  migration_phase phase = migration_phase::reserved; ///< of `migration`, after the command; of one
                                                     ///< that waits as if it had begun
  lease_record lease;                                ///< after `renew_lease`
  task_id task{}; ///< that a drain, an evacuation or a rebalance became

  [[nodiscard]] bool ok() const { return error == command_errc::none; }
  friend bool operator==(const command_outcome&, const command_outcome&) = default;
};

} // namespace novacron
