#pragma once

#include "messages/result.hpp"

#include <system_error>

namespace novacron {

/// Why a gateway can't start. (What a client did wrong is a `problem`.)
enum class gateway_errc : uint8_t {
  bad_address = 1, ///< not an IP address
  port_taken,      ///< another process listens there
  cannot_listen,   ///< the kernel refuses for another reason
  bad_token_hash,
};

const std::error_category& gateway_category();
std::error_code make_error_code(gateway_errc code);

/// Builds a failure of this module.
failure make_failure(gateway_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::gateway_errc> : std::true_type {};
