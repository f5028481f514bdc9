#pragma once

#include "tests/lab/link/emulated_link.hpp"

namespace novacron::lab {

/// What one TCP connection from a to b gets of the link, in Mbit/s of content,
/// from the first byte that arrives to the last of `bytes`. Throws
/// std::system_error.
double tcp_rate_mbit_per_s(const emulated_link& link, size_t bytes);

} // namespace novacron::lab
