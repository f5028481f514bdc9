#pragma once

#include "messages/records.hpp"

#include <string>

namespace novacron {

// Small records for tests: number n gives an id that sorts like n.

inline uuid uuid_of(uint64_t n) {
  return {0, n};
}

inline vm_record vm_of(uint64_t n, uint64_t revision, node_id host = {}) {
  vm_record vm;
  vm.id = {uuid_of(n)};
  vm.name = "vm-" + std::to_string(n);
  vm.spec.memory_mib = 256;
  vm.spec.image = "debian";
  vm.host = host;
  vm.revision = revision;
  return vm;
}

inline host_record host_of(uint64_t n, uint64_t revision) {
  host_record host;
  host.id = {uuid_of(n)};
  host.name = "node-" + std::to_string(n);
  host.memory_mib = 8'192;
  host.state = host_state::up;
  host.revision = revision;
  return host;
}

inline operation_record operation_of(uint64_t n, uint64_t revision, operation_state state) {
  operation_record operation;
  operation.id = {uuid_of(n)};
  operation.verb = operation_verb::start;
  operation.vm = {uuid_of(1)};
  operation.state = state;
  operation.revision = revision;
  return operation;
}

} // namespace novacron
