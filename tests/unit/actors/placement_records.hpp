#pragma once

#include "actors/scheduler/placement_state.hpp"

namespace novacron {

// Hosts and VMs that tests of the scheduler place, by number.

inline node_id placed_host_id(uint64_t n) {
  return {{0, n}};
}
inline vm_id placed_vm_id(uint64_t n) {
  return {{1, n}};
}

inline host_record placing_host(uint64_t n, uint64_t memory_mib = 8'192, uint32_t vcpus = 8) {
  host_record out;
  out.id = placed_host_id(n);
  out.name = "node-" + std::to_string(n);
  out.memory_mib = memory_mib;
  out.vcpus = vcpus;
  out.images = {"tick"};
  out.accelerator = "kvm";
  out.state = host_state::up;
  return out;
}

inline vm_record placed_vm(uint64_t n, uint64_t on, uint64_t memory_mib = 1'024) {
  vm_record out;
  out.id = placed_vm_id(n);
  out.name = "vm-" + std::to_string(n);
  out.host = placed_host_id(on);
  out.spec.memory_mib = memory_mib;
  out.spec.image = "tick";
  out.requested = requested_state::running;
  out.actual = actual_state::running;
  return out;
}

} // namespace novacron
