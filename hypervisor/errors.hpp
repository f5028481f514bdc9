#pragma once

#include "messages/result.hpp"

#include <system_error>

namespace novacron {

/// Why a hypervisor call failed.
enum class hypervisor_errc : uint8_t {
  no_such_guest = 1, ///< no guest of that VM on this host
  already_there,     ///< a guest of that VM is on this host already
  unreachable,       ///< no connection to the daemon; the call had no effect
  outcome_unknown,   ///< the connection broke during the call
  refused,           ///< the daemon or QEMU refused; the message says why
  not_supported,     ///< this driver or this machine can't do it; the message says why
  aborted,           ///< the migration was aborted, by us or by a broken stream
};

const std::error_category& hypervisor_category();
std::error_code make_error_code(hypervisor_errc code);

/// Builds a failure of this module.
failure make_failure(hypervisor_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::hypervisor_errc> : std::true_type {};
