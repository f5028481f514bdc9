#pragma once

#include "hypervisor/libvirt/domain_xml.hpp"
#include "hypervisor/libvirt/handles.hpp"

#include <functional>
#include <optional>
#include <string>

namespace novacron {

/// What this host's QEMU can be: the newest versioned q35 machine, with KVM
/// when `prefer_kvm` and a KVM guest really ran, else TCG.
///
/// /dev/kvm can be opened and still be useless: in some nested setups QEMU
/// aborts on its first MSR, with the very processor that guests get. So a tiny
/// guest with that processor is started, seen to use it, and destroyed. Blocks for seconds when
/// libvirtd hasn't probed QEMU before.
result<machine_type> choose_machine(virConnect* connection, bool prefer_kvm);

/// The choice alone: `kvm` and `tcg` are the machines that are offered, empty for
/// none. `kvm_works` is asked only when KVM would be used. Nothing when neither can be.
std::optional<machine_type> choose_machine(const std::string& kvm, const std::string& tcg,
                                           bool prefer_kvm, const std::function<bool()>& kvm_works);

} // namespace novacron
