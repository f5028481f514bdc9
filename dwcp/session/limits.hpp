#pragma once

#include <chrono>
#include <cstddef>

namespace novacron::session_limits {

using namespace std::chrono_literals;

/// From a connection's first packet to its place in a session.
inline constexpr std::chrono::milliseconds opening = 5s;
/// Input that is silent for so long lets a batch leave that isn't full.
inline constexpr std::chrono::milliseconds flush_after = 2ms;
/// For the peer to hear why the session ends.
inline constexpr std::chrono::milliseconds farewell = 1s;
/// For one try to connect again.
inline constexpr std::chrono::milliseconds reconnecting = 2s;
/// Batches that were sent and not acknowledged: they are kept, in case their
/// connection breaks. Less than a destination queues (`receive_options`), also with what
/// the lanes are packing: else the batch that it waits for could come behind one, on the
/// same connection, that it has no room for.
inline constexpr size_t kept_bytes = 48u << 20;
/// Read from QEMU after a connection was lost, or while the destination is silent, to find out
/// whether the guest runs.
inline constexpr size_t read_ahead_bytes = 1u << 20;
/// Connections to a door that have not yet shown their ticket: a session opens all of its
/// own, 64 at most, at once, and others may begin at the same time.
inline constexpr size_t half_open_connections = 128;
/// Connections that a session opens by itself.
inline constexpr unsigned most_streams = 32;
/// Read from QEMU at once.
inline constexpr size_t read_bytes = 256u << 10;
/// Return path that waits; QEMU says a few bytes per second.
inline constexpr size_t return_bytes = 1u << 20;

} // namespace novacron::session_limits
