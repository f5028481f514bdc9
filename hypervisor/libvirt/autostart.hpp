#pragma once

#include "hypervisor/errors.hpp"
#include "hypervisor/libvirt/handles.hpp"

namespace novacron {

/// Refuses where libvirtd would start guests by itself when it starts: nobody has allowed them to
/// run then. Ours are transient and can't be marked so; somebody else's may be. Blocks on libvirtd.
result<void> refuse_autostart(virConnect* connection);

} // namespace novacron
