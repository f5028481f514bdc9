#pragma once

#include "dwcp/errors.hpp"
#include "dwcp/transport/wakeup.hpp"
#include "messages/descriptor.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace novacron {

// All sockets made here are non-blocking and closed on exec.

/// Connects to `host`, an address or a name. `unreachable`, `timed_out` or
/// `cancelled` (when `stop` was raised).
result<descriptor> connect_tcp(const std::string& host, uint16_t port, const wakeup& stop,
                               deadline until);

/// Listens on `address`, or what a name stands for; port 0 picks one.
result<descriptor> listen_tcp(const std::string& address, uint16_t port);
/// The port of a socket that listens.
uint16_t local_port(const descriptor& socket);

/// Listens for one local connection of any user: who may reach the socket is
/// said by the folder. A socket that was left there is replaced.
result<descriptor> listen_unix(const std::filesystem::path& path);
result<descriptor> connect_unix(const std::filesystem::path& path);

/// Takes a waiting connection; an empty descriptor when there is none.
descriptor accept_one(const descriptor& listener);

/// For streams of batches: small frames leave at once, and what the kernel
/// queues beyond the link's need is bounded.
void tune_stream(const descriptor& socket);

} // namespace novacron
