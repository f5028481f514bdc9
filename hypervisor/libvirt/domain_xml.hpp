#pragma once

#include "hypervisor/hypervisor.hpp"
#include "hypervisor/libvirt/domain_metadata.hpp"
#include "messages/result.hpp"

#include <string>

namespace novacron {

/// What this host's QEMU is asked to be. The machine is versioned ("pc-q35-7.2"),
/// so that the destination of a migration builds the same one.
struct machine_type {
  bool kvm = false;
  std::string machine;
};

/// The domain's name, by which people see it in virsh.
std::string domain_name(vm_id vm);

/// The domain of a guest. Text from the spec is escaped; paths must be absolute.
std::string domain_xml(const guest_spec& spec, const domain_metadata& metadata,
                       const machine_type& machine);

/// The source's description of a guest as the destination must create it: the
/// source's own, since the machine must be the same to the last device, but for
/// paths, bridges, metadata and mark. Fails with `refused` when it isn't the domain of
/// `spec.vm`, or lacks what must be replaced.
result<std::string> destination_xml(const std::string& offered, const guest_spec& spec,
                                    const domain_metadata& metadata);

/// A machine with a guest's processor that starts its firmware and nothing
/// else: for finding out whether KVM works.
std::string probe_xml(const uuid& id, const machine_type& machine);

} // namespace novacron
