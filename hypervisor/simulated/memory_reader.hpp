#pragma once

#include "hypervisor/simulated/guest_memory.hpp"
#include "hypervisor/simulated/stream_socket.hpp"

#include <atomic>
#include <string>

namespace novacron {

/// The name of a simulated guest's one RAM block.
inline constexpr const char* simulated_block = "pc.ram";

/// What stands in the device state of a simulated stream: who the guest is, and
/// the digest that its memory must have at the destination.
std::vector<std::byte> simulated_device_state(const std::string& guest, uint64_t digest);

/// Reads a stream that a simulated source wrote, into `memory`, and compares
/// the digest. Reads nothing beyond its end. Fails with `aborted`.
result<void> read_memory(stream_socket& stream, const std::string& guest, guest_memory& memory,
                         const std::atomic<bool>& stop);

} // namespace novacron
