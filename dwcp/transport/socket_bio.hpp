#pragma once

#include "dwcp/transport/wire_counter.hpp"

struct bio_st;

namespace novacron {

/// OpenSSL's view of a non-blocking socket: counts what passes, and writes to a
/// closed connection fail instead of raising SIGPIPE. Neither `fd` nor `counter`
/// is owned; both must outlive it. Null when there is no memory.
bio_st* new_socket_bio(int fd, wire_counter& counter);

} // namespace novacron
