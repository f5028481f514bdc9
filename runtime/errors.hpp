#pragma once

#include "messages/result.hpp"

#include <cstdint>
#include <system_error>

namespace novacron {

/// Why the executable could not do what it was called for. Its message is one
/// line that people can act on.
enum class runtime_errc : uint8_t {
  configuration = 1, ///< a file or an option says something that isn't allowed
  certificate,       ///< missing, expired, of another cluster, or not this node's
  folder,            ///< a file or folder can't be read, written or locked
  taken,             ///< an address is in use
  process,           ///< a child process could not be started, or ended too often
  answer,            ///< a node refused a request, or its answer makes no sense
  timed_out,         ///< what was waited for did not happen in time
};

const std::error_category& runtime_category();
std::error_code make_error_code(runtime_errc code);

/// Builds a failure of this module.
failure make_failure(runtime_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::runtime_errc> : std::true_type {};
