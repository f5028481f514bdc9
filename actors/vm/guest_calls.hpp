#pragma once

#include "actors/host/host_context.hpp"
#include "actors/vm/vm_state.hpp"

#include <optional>

namespace novacron {

/// Makes the call that the VM's state asked for, on the guest of `record`.
/// Blocks. The failure, if it failed.
std::optional<failure> make_call(const host_context& context, guest_call call,
                                 const vm_record& record);

} // namespace novacron
