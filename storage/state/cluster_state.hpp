#pragma once

#include "messages/changes.hpp"
#include "messages/codec.hpp"
#include "messages/commands.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace novacron {

/// What applying one command batch did: an outcome per command, and what must
/// be written in the same database batch.
struct applied_batch {
  std::vector<command_outcome> outcomes;
  std::vector<change> changes;              ///< for the feed, in order; each with the batch's revision
  std::vector<lease_record> leases;         ///< written, not fed
  std::vector<stored_answer> answers;       ///< written, not fed
  std::vector<std::string> expired_answers; ///< keys to delete
};

/// The state machine: the cluster's records, and what commands do to them.
///
/// Pure and deterministic: no clock, no random numbers, no I/O; equal states
/// and batches give equal results on every replica. One thread at a time.
class cluster_state {
public:
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
  [[nodiscard]] const operation_record* find(operation_id operation) const;
  [[nodiscard]] std::vector<lease_record> leases() const;

private:
  friend class batch_applier; ///< one batch's apply; see apply.cpp

  uint64_t revision_ = 0;
  log_time now_;
  std::unordered_map<vm_id, vm_record> vms_;
  std::unordered_map<node_id, host_record> hosts_;
  std::unordered_map<migration_id, migration_record> migrations_;
  std::unordered_map<operation_id, operation_record> operations_;
  std::unordered_map<node_id, lease_record> leases_;
  std::map<std::string, stored_answer> answers_; ///< by principal, NUL, key
  std::unordered_map<std::string, vm_id> names_;
};

} // namespace novacron
