#pragma once

#include "messages/result.hpp"

namespace novacron {

/// Makes sure that this program's SSL_read, SSL_write, SSL_accept and SSL_connect are the ones that
/// CAF calls: they empty the thread's queue of errors, and go on to OpenSSL's.
///
/// The problem: after each call CAF 0.17.6 asks SSL_get_error what became of it, which looks into
/// that queue, and never empties it before, as SSL_get_error(3) demands. All connections of a
/// node share a thread. So a connection that ends without a word, which OpenSSL 3 calls an error,
/// or a stranger's failed handshake, breaks each of the others as soon as it has nothing to read.
///
/// Fails where the linker has not put ours first: then no mesh may be.
result<void> check_openssl_calls();

} // namespace novacron
