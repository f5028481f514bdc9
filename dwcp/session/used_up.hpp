#pragma once

#include "dwcp/errors.hpp"

#include <exception>
#include <string>

namespace novacron {

/// What `what` couldn't have, a thread or a descriptor or memory, as the failure that our
/// callers expect: `too_many`.
inline failure used_up(const std::string& what, const std::exception& why) {
  return make_failure(dwcp_errc::too_many,
                      what + ": " + why.what()
                          + "; raise this process's limits, or try again later");
}

} // namespace novacron
