#pragma once

#include "messages/result.hpp"

#include <system_error>

namespace novacron {

/// Why the replicated state could not be opened or read.
enum class storage_errc : uint8_t {
  cannot_open = 1, ///< the folder can't be written, or RocksDB refuses it
  foreign,         ///< the folder belongs to another cluster, node or timeline
  damaged,         ///< the log is shorter than what was promised, or can't be read
  unknown_version, ///< the log holds commands that this version doesn't know
  stopped,         ///< the replica is stopping, or what was asked for is gone
  not_leader,      ///< another replica leads, or none; the message says which
  refused,         ///< a change of the members would cost the majority, or makes no sense
  emptied,         ///< this disk is not the one that the group counts on
  no_such_backup,  ///< the folder holds none of that number
  differs,         ///< the state was found to be another than the other members'
};

const std::error_category& storage_category();
std::error_code make_error_code(storage_errc code);

/// Builds a failure of this module.
failure make_failure(storage_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::storage_errc> : std::true_type {};
