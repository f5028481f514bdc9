#pragma once

#include "messages/changes.hpp"

#include <algorithm>
#include <span>

namespace novacron {

// Which part of the state a host follows.
//
// VMs concern it that are placed on it, or whose migration, as long as the VM
// names it, comes from it or leads to it. A change concerns also the hosts that
// its record concerned *before*, so that the change that takes a VM away from a
// host still reaches it. Migrations concern both ends once they have begun, hosts
// and nodes concern every host, operations, tasks and tokens none.

/// Records of this type concern every host.
inline bool is_everyones(record_type type) {
  return type == record_type::host || type == record_type::node;
}

/// Whether a listing for `host` holds `record`; nil: for a reader of everything.
/// `migration_of` gives a pointer-like to the migration of an id; null: there is none.
template <class Find>
bool concerns(const any_record& record, node_id host, Find migration_of) {
  if (host.nil() || is_everyones(type_of(record)))
    return true;
  auto moves = [&](const migration_record& x) { return x.from == host || x.to == host; };
  if (auto migration = std::get_if<migration_record>(&record))
    return !migration->waits() && moves(*migration);
  auto vm = std::get_if<vm_record>(&record);
  if (!vm)
    return false;
  if (vm->host == host)
    return true;
  if (vm->migration.nil())
    return false;
  auto migration = migration_of(vm->migration);
  return migration && moves(*migration);
}

/// Whether a change of a record of `type` with this audience (see
/// `applied_batch`) is for `host`; nil: for a reader of everything.
inline bool is_for(node_id host, std::span<const node_id> audience, record_type type) {
  if (host.nil())
    return true;
  // An empty audience is everyone's if the record's type is, else nobody's.
  return audience.empty() ? is_everyones(type)
                          : std::find(audience.begin(), audience.end(), host) != audience.end();
}

} // namespace novacron
