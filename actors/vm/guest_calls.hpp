#pragma once

#include "actors/host/host_context.hpp"
#include "actors/vm/vm_state.hpp"

#include <optional>

namespace novacron {

/// Makes the call that the VM's state asked for, on the guest of `record`.
/// Blocks. The failure, if it failed: as one that would let a guest run does when
/// `boot_now` (CLOCK_BOOTTIME) is past the fencer's deadline. The process may have
/// been stopped since the state was told that guests may start.
std::optional<failure> make_call(const host_context& context, guest_call call,
                                 const vm_record& record, std::chrono::nanoseconds boot_now);

} // namespace novacron
