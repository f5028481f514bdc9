#pragma once

#include "messages/records.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace novacron {

/// What a host has promised to guests: those placed on it, and the copies that
/// migrations keep or may need there.
struct host_load {
  uint64_t memory_mib = 0;
  uint64_t vcpus = 0;
  std::map<std::string, uint32_t> groups;  ///< VMs there that belong to each; never 0
  std::map<std::string, uint32_t> refused; ///< VMs there that won't be beside each; never 0

  /// Counts a VM in, or one that was counted in out.
  void add(const vm_spec& spec);
  void remove(const vm_spec& spec);
  void add(const host_load& more);

  [[nodiscard]] bool nothing() const { return memory_mib == 0 && vcpus == 0; }
  friend bool operator==(const host_load&, const host_load&) = default;
};

/// What `host` may promise in all: what it has, by its overcommit.
uint64_t memory_capacity_mib(const host_record& host);
uint64_t vcpu_capacity(const host_record& host);

/// Where `migration` holds room for its VM besides where the VM is placed, or
/// nil: the destination, from when it is asked for until it is clean, or after the commit the
/// source: it may get its guest back until the destination runs it, and holds a paused copy until
/// it is clean.
node_id holds_room_on(const migration_record& migration);

} // namespace novacron
