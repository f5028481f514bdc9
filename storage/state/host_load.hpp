#pragma once

#include "messages/records.hpp"

namespace novacron {

/// Virtual processors that a host may promise for each that it has. Memory is
/// never promised twice: a guest that swaps cannot be migrated in time.
inline constexpr uint64_t vcpu_overcommit = 8;

/// What a host has promised to guests: those placed on it, and the copies that
/// migrations keep or may need there.
struct host_load {
  uint64_t memory_mib = 0;
  uint64_t vcpus = 0;

  [[nodiscard]] bool nothing() const { return memory_mib == 0 && vcpus == 0; }
  friend bool operator==(const host_load&, const host_load&) = default;
};

/// Why a guest like `spec` doesn't fit on `host` beside `load`, as a sentence
/// that says what is missing; empty: it fits.
std::string why_no_room(const host_record& host, const host_load& load, const vm_spec& spec);

/// Where `migration` holds room for its VM besides where the VM is placed, or
/// nil: the destination until it is clean, or after the commit the source: it
/// may get its guest back until the destination runs it, and holds a paused
/// copy until it is clean.
node_id holds_room_on(const migration_record& migration);

} // namespace novacron
