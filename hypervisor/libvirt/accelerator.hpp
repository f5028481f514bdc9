#pragma once

#include "hypervisor/libvirt/domain_xml.hpp"
#include "hypervisor/libvirt/handles.hpp"

namespace novacron {

/// Whether a tiny guest of this machine, with the processor that guests get,
/// starts and uses its processor within three seconds. It is ended again.
bool guest_runs(virConnect* connection, const machine_type& machine);

/// What this host's QEMU can be: the newest versioned q35 machine, with KVM
/// when `prefer_kvm` and a KVM guest really ran, else TCG.
///
/// /dev/kvm can be opened and still be useless: in some nested setups QEMU
/// aborts on its first MSR, with the very processor that guests get. So it is
/// used after `guest_runs` only. Blocks for seconds when libvirtd hasn't probed
/// QEMU before.
result<machine_type> choose_machine(virConnect* connection, bool prefer_kvm);

/// Why a guest of this machine can't be migrated live by a QEMU of `version`
/// (major × 1,000,000 + minor × 1,000 + micro, as libvirt counts); empty when it can.
///
/// TCG before 9.0 clears the dirty bits of pages without resetting the vCPUs'
/// cached translations (mended in 2024, for 9.0), so later stores to these
/// pages are not sent: the destination's memory is not the source's.
std::string problem_of_qemu(const machine_type& machine, unsigned long version);

/// "7.2.22", of libvirt's number for it.
std::string version_text(unsigned long version);

} // namespace novacron
