#pragma once

#include "messages/changes.hpp"
#include "messages/codec.hpp"
#include "messages/commands.hpp"
#include "storage/state/host_load.hpp"
#include "storage/state/migration_queue.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace novacron {

/// The newest `command_batch::cluster_version` whose commands this code knows.
/// A replica that meets a greater one stops: applying it otherwise than the
/// others would is worse than not applying it.
///
/// 1: the first. 2: guests that end are restarted as their policy says, and the
/// first word on how a guest ended counts. 3: what was on a lost host goes on
/// elsewhere (`lost_hosts_since`), what a migration's destination measured counts
/// until its source says, hosts are cordoned and drained, VMs have placement
/// rules, migrations compare CPUs; nodes, their membership, tokens. 4: replicas
/// compare the hashes of their states, and do so on demand; a node that a migration
/// needs isn't removed. 5: after a recovery hosts are awaited until they have looked at
/// their guests, and nothing is decided about migrations before; migrations say what was made of
/// the pages. 6: migrations have terms; hosts that are off are evacuated. 7: migrations wait for
/// their turn (`admission_since`); after a recovery none that began before is committed, and later
/// ones have epochs of the new timeline. 8: hosts and VMs have networks (`networks_since`).
/// 9: migrations are tried again (`tries_since`), and VMs without a guest move
/// (`cold_moves_since`).
inline constexpr uint32_t known_cluster_version = 9;

/// What this program's leaders stamp at least: it goes on with members that know
/// one version less, and with none that are older.
inline constexpr uint32_t least_cluster_version = known_cluster_version - 1;

/// The first `command_batch::cluster_version` under which states are compared.
inline constexpr uint32_t sums_since = 4;

/// The first `command_batch::cluster_version` under which a host that is awaited after a
/// recovery has to say what runs there; before it was enough to register.
inline constexpr uint32_t inventories_since = 5;

/// The first `command_batch::cluster_version` under which migrations' records say what
/// was made of the pages.
inline constexpr uint32_t page_work_since = 5;

/// The first `command_batch::cluster_version` under which the word that a host is off begins an
/// evacuation.
inline constexpr uint32_t evacuations_since = 6;

/// The first `command_batch::cluster_version` under which hosts and VMs have networks.
inline constexpr uint32_t networks_since = 8;

/// The first `command_batch::cluster_version` under which a VM without a guest may be moved by
/// `reserve_migration`.
inline constexpr uint32_t cold_moves_since = 9;

/// The first `command_batch::cluster_version` under which a host's end has
/// consequences for its VMs.
inline constexpr uint32_t lost_hosts_since = 3;

/// How long, and how many, records stay that nothing can happen to any more.
struct retention {
  std::chrono::milliseconds answers = std::chrono::hours{24};
  size_t max_answers = 500'000;
  std::chrono::milliseconds ended
      = std::chrono::hours{24}; ///< tombstones, ended operations, over migrations
  size_t max_ended = 20'000;    ///< of each kind
};

/// What applying one command batch did: an outcome per command, and what must
/// be written in the same database batch.
struct applied_batch {
  std::vector<command_outcome> outcomes;
  std::vector<change>
      changes; ///< for the feed, in order of first touch; each with the batch's revision
  /// For each change, the hosts that it concerns: for a VM where it is and was
  /// placed, and both ends of the migration that it has and had. So a host also
  /// sees the change that takes a VM away from it. Empty: all hosts, if the
  /// record is a host; none otherwise.
  std::vector<std::vector<node_id>> audience;
  std::vector<vm_record> noted;             ///< written, not fed: only what was seen when differs
  std::vector<lease_record> leases;         ///< written, not fed
  std::vector<stored_answer> answers;       ///< written, not fed
  std::vector<std::string> expired_answers; ///< keys to delete

  friend bool operator==(const applied_batch&, const applied_batch&) = default;
};

/// The key under which an answer is kept: principal, NUL, key.
std::string answer_key(const idempotency& asked);

/// The state machine: the cluster's records, and what commands do to them.
///
/// Pure and deterministic: no clock, no random numbers, no I/O; equal states
/// and batches give equal results on every replica. One thread at a time.
class cluster_state {
public:
  cluster_state() = default;
  explicit cluster_state(retention kept) : retention_{kept} {
    // nop
  }

  /// Applies `batch`, which has log index `revision`. A refused command changes
  /// nothing, and the others of its batch are applied all the same.
  applied_batch apply(const command_batch& batch, uint64_t revision);

  // Loading: puts back what an earlier run wrote.
  void load(any_record record);
  void load(lease_record lease);
  void load(stored_answer answer);
  /// Ends loading: rebuilds the indexes. `now` is the time of the last batch applied.
  void loaded(uint64_t revision, log_time now);

  [[nodiscard]] uint64_t revision() const { return revision_; }
  [[nodiscard]] log_time now() const { return now_; }
  [[nodiscard]] const vm_record* find(vm_id vm) const;
  [[nodiscard]] const host_record* find(node_id host) const;
  [[nodiscard]] const migration_record* find(migration_id migration) const;
  /// The VM's migration that waits for its turn; null: none does.
  [[nodiscard]] const migration_record* queued_of(vm_id vm) const;
  [[nodiscard]] const operation_record* find(operation_id operation) const;
  [[nodiscard]] const task_record* find(task_id task) const;
  [[nodiscard]] const node_record* find_node(node_id node) const;
  [[nodiscard]] const join_token_record* find(token_id token) const;
  [[nodiscard]] std::vector<lease_record> leases() const;
  /// Sorted by id.
  [[nodiscard]] std::vector<node_record> nodes() const;
  [[nodiscard]] size_t answers() const { return answers_.size(); }
  /// What is promised to guests on `host`.
  [[nodiscard]] host_load load_of(node_id host) const;
  /// VMs of this group that are placed, or promised a place by a migration.
  [[nodiscard]] uint64_t members_of(const std::string& group) const;
  /// Every record of the feed, sorted by type and id.
  [[nodiscard]] std::vector<any_record> records() const;

private:
  friend class batch_applier; ///< one batch's apply

  template <class Id>
  using by_age = std::set<std::pair<log_time, Id>>;

  // Each record enters and leaves the indexes through these; `sign` is 1 or -1.
  void index(const vm_record& vm);
  void unindex(const vm_record& vm);
  void index(const migration_record& migration);
  void unindex(const migration_record& migration);
  void index(const operation_record& operation);
  void unindex(const operation_record& operation);
  void index(const task_record& task);
  void unindex(const task_record& task);
  void count_claims(const vm_record& vm, int sign);

  retention retention_;
  uint64_t revision_ = 0;
  log_time now_;
  std::unordered_map<vm_id, vm_record> vms_;
  std::unordered_map<node_id, host_record> hosts_;
  std::unordered_map<migration_id, migration_record> migrations_;
  std::unordered_map<operation_id, operation_record> operations_;
  std::unordered_map<task_id, task_record> tasks_;
  std::unordered_map<node_id, lease_record> leases_;
  std::map<std::string, stored_answer> answers_; ///< by `answer_key`
  std::map<node_id, node_record> nodes_;
  std::map<token_id, join_token_record> join_tokens_;

  // Indexes: derived from the records above, rebuilt by `loaded`.
  std::unordered_map<std::string, vm_id> names_;               ///< of VMs that aren't gone
  std::unordered_map<node_id, host_load> load_;                ///< never one that is empty
  std::unordered_map<vm_id, std::set<migration_id>> not_over_; ///< migrations
  std::set<migration_id> under_way_;
  std::set<queue_place> queue_;
  by_age<migration_id> put_off_; ///< of the queue, those that don't begin before a time
  by_age<vm_id> tombstones_;
  by_age<vm_id> due_restarts_;
  by_age<operation_id> ended_operations_;
  by_age<migration_id> over_migrations_;
  by_age<task_id> ended_tasks_;
  std::set<task_id> running_tasks_;
  std::unordered_map<vm_id, std::set<task_id>> tasks_of_; ///< of those that run
  by_age<std::string> answers_by_expiry_;
};

} // namespace novacron
