#pragma once

#include "messages/result.hpp"

#include <cstdint>
#include <system_error>

namespace novacron {

/// Why a node's proof of who it is was not accepted, or could not be made.
enum class identity_errc : uint8_t {
  malformed = 1, ///< not a certificate or key in PEM, or larger than one may be
  nameless,      ///< a certificate without a node's uuid and role in its SAN
  untrusted,     ///< not signed by the cluster's CA
  expired,       ///< or not valid yet
  forged,        ///< a signature that the certificate's key didn't make
  unusable,      ///< OpenSSL refused; the message has its words
};

const std::error_category& identity_category();
std::error_code make_error_code(identity_errc code);

/// Builds a failure of this folder.
failure make_failure(identity_errc code, std::string message);

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::identity_errc> : std::true_type {};
