#pragma once

#include "messages/result.hpp"

#include <system_error>

namespace novacron {

/// Why a page session failed.
enum class dwcp_errc : uint8_t {
  unreachable = 1, ///< no connection to the destination's DWCP port
  unauthorised,    ///< certificate, token or session did not match
  malformed,       ///< a frame that breaks the protocol
  digest_mismatch, ///< what arrived is not what was sent; nothing of it was released
  stream_broken,   ///< a connection or a local socket ended too early
  timed_out,       ///< silence beyond the limit
  cancelled,       ///< ended by our own side
  too_many,        ///< a bound was reached; the message names it
  withdrawn,       ///< a snapshot isn't lent any more
};

const std::error_category& dwcp_category();
std::error_code make_error_code(dwcp_errc code);

/// Builds a failure of this module.
failure make_failure(dwcp_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::dwcp_errc> : std::true_type {};
