#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace novacron::snapshot_limits {

using namespace std::chrono_literals;

/// Connections that a door serves at a time; a group has five voters, and standbys.
inline constexpr size_t connections = 8;
/// A connection on which nothing is asked is closed.
inline constexpr std::chrono::milliseconds idle = 10s;
/// From a question to its part, dialling included.
inline constexpr std::chrono::milliseconds answer = 10s;
/// Of records in one part.
inline constexpr uint32_t part_bytes = 1u << 20;
/// Questions that wait at a line.
inline constexpr size_t waiting = 4;

} // namespace novacron::snapshot_limits
