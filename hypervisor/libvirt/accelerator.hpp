#pragma once

#include "hypervisor/libvirt/domain_xml.hpp"
#include "hypervisor/libvirt/handles.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// Whether a tiny guest of this machine, with the processor that guests get,
/// starts and uses its processor within three seconds. It is ended again.
bool guest_runs(virConnect* connection, const machine_type& machine);

/// What this host's QEMU can be: the newest versioned q35 machine, with KVM
/// when `prefer_kvm` and a KVM guest really ran, else TCG.
///
/// /dev/kvm can be opened and still be useless: in some nested setups QEMU
/// aborts on its first MSR, with the very processor that guests get; in others
/// the firmware runs and the first kernel doesn't, for lack of anything in the processor
/// that KVM could use. So it is used after `processor_virtualises` and `guest_runs` only. Blocks
/// for seconds when libvirtd hasn't probed QEMU before.
result<machine_type> choose_machine(virConnect* connection, bool prefer_kvm);

/// Whether the text of /proc/cpuinfo says that the processor can run guests: Intel's VMX or AMD's
/// SVM, without which Linux's own KVM for x86 isn't there.
bool processor_virtualises(std::string_view cpuinfo);

/// The choice alone: `kvm` and `tcg` are the machines that are offered, empty for
/// none. `kvm_works` is asked only when KVM would be used. Nothing when neither can be.
std::optional<machine_type> choose_machine(const std::string& kvm, const std::string& tcg,
                                           bool prefer_kvm, const std::function<bool()>& kvm_works);

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
