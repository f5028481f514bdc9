#pragma once

#include "messages/changes.hpp"
#include "storage/state/host_load.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace novacron {

/// What choices among hosts are made from: the hosts, the VMs, and what each
/// host has promised, kept as the records come.
///
/// Pure; equal records make equal states, whatever order they came in.
class placement_state {
public:
  // What the feed says; see `feed_follower::sink`.
  void put(const any_record& record);
  void remove(const any_record& record);
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);

  [[nodiscard]] const std::map<node_id, host_record>& hosts() const { return hosts_; }
  [[nodiscard]] const std::unordered_map<vm_id, vm_record>& vms() const { return vms_; }
  [[nodiscard]] const vm_record* find(vm_id vm) const;
  /// What `host` has promised.
  [[nodiscard]] host_load load_of(node_id host) const;
  /// Claims of VMs of this group on hosts; `but` doesn't count.
  [[nodiscard]] bool has_member(const std::string& group, vm_id but) const;

private:
  void take(const vm_record& vm);
  void take(const migration_record& migration);
  void drop(vm_id vm);
  void drop(migration_id migration);
  void count(vm_id vm, bool in);

  std::map<node_id, host_record> hosts_;
  std::unordered_map<vm_id, vm_record> vms_;
  std::unordered_map<migration_id, migration_record> migrations_;
  std::unordered_map<vm_id, std::set<migration_id>> migrations_of_;
  std::map<node_id, host_load> loads_;
  std::map<std::string, std::set<vm_id>> members_; ///< of each group, but those that are gone
};

} // namespace novacron
