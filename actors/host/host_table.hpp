#pragma once

#include "actors/feed/feed_follower.hpp"
#include "hypervisor/hypervisor.hpp"
#include "messages/local.hpp"

#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace novacron {

/// What one host knows of the log: the VMs and migrations that concern it, and
/// the other hosts. Filled by the feed.
///
/// Pure. After each batch of changes `take_changed` tells whose actor must hear.
class host_table {
public:
  explicit host_table(node_id self) : self_{self} {
    // nop
  }

  /// Where a follower of the feed puts what it learns.
  feed_follower::sink sink();

  /// VMs whose record, or whose migration's, has changed since the last call.
  std::vector<vm_id> take_changed_vms();
  std::vector<migration_id> take_changed_migrations();

  [[nodiscard]] const vm_record* find(vm_id vm) const;
  [[nodiscard]] const migration_record* find(migration_id migration) const;
  [[nodiscard]] const host_record* find(node_id host) const;
  /// The log was recovered, and waits to hear what runs on some host, this one or another.
  [[nodiscard]] bool hosts_awaited() const;

  /// What the VM's actor must know; nothing for a VM that we don't know.
  [[nodiscard]] std::optional<vm_changed> word_for(vm_id vm) const;
  /// What the migration's actor must know. `fresh` the first time that it is
  /// asked for a migration which was reserved while we were following. Whoever
  /// doesn't know the VM any more is told all the same that the migration is over,
  /// or its actor would never end; and the destination that it was called off: what
  /// it made must go.
  std::optional<migration_changed> word_for(migration_id migration);

  /// The hypervisor says that the VM's guest switches itself off. It says so
  /// once, in an event, and a guest that is gone can't be asked why: so it is
  /// remembered, for the guest of the VM's present epoch.
  void powers_off(vm_id vm);
  /// Whether that was said of the guest of the VM's present epoch.
  [[nodiscard]] bool powered_off(vm_id vm) const;

  /// A guest of this epoch may be here: its VM is placed here under that epoch, or
  /// is on its way from or to here. Of a VM that we don't know: no.
  [[nodiscard]] bool belongs_here(vm_id vm, epoch epoch) const;
  /// What the log says of a VM that it doesn't tell us of by itself.
  void learn(const vm_record& record) { put(record); }

  /// Forgets the VMs that have nothing to do with this host any more: nobody tells us of them,
  /// and there may be ever more of them. `needed` keeps one.
  void forget_elsewhere(const std::function<bool(vm_id)>& needed);

  /// The VM is placed here and not gone.
  [[nodiscard]] bool needs_actor(const vm_record& vm) const;
  /// It is from or to this host and this host's part isn't over.
  [[nodiscard]] bool needs_actor(const migration_record& migration) const;

  /// VMs that are placed here, or migrate from or to here.
  [[nodiscard]] std::set<vm_id> all_vms() const;

private:
  void put(const vm_record& record);
  void put(const migration_record& record);
  void put(const host_record& record);
  void put(const operation_record& record);
  void put(const task_record& record);
  void put(const node_record& record);
  void put(const join_token_record& record);
  void remove(const any_record& record);
  [[nodiscard]] bool concerns_us(const vm_record& vm) const;
  void keep_only(const std::set<std::pair<record_type, uuid>>& listed);

  node_id self_;
  bool listed_ = false; ///< a listing was complete: what comes now is new
  std::unordered_map<vm_id, vm_record> vms_;
  std::unordered_map<migration_id, migration_record> migrations_;
  std::unordered_map<node_id, host_record> hosts_;
  std::set<vm_id> changed_vms_;
  std::set<migration_id> changed_migrations_;
  std::set<migration_id> fresh_;
  std::unordered_map<vm_id, epoch> power_offs_;
};

} // namespace novacron
