#include "actors/peer/openssl_calls.hpp"

#include "actors/peer/errors.hpp"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

/// OpenSSL's own function of this name.
template <class Function>
Function* next_of(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <class Function, class... Ts>
int call(Function* next, Ts... arguments) {
  ERR_clear_error();
  return next(arguments...);
}

} // namespace

extern "C" {

int SSL_read(SSL* session, void* bytes, int count) {
  static auto* const next = next_of(&SSL_read, "SSL_read");
  return call(next, session, bytes, count);
}

int SSL_write(SSL* session, const void* bytes, int count) {
  static auto* const next = next_of(&SSL_write, "SSL_write");
  return call(next, session, bytes, count);
}

int SSL_accept(SSL* session) {
  static auto* const next = next_of(&SSL_accept, "SSL_accept");
  return call(next, session);
}

int SSL_connect(SSL* session) {
  static auto* const next = next_of(&SSL_connect, "SSL_connect");
  return call(next, session);
}
}

namespace novacron {

result<void> check_openssl_calls() {
  // What a library finds that asks for the name, as CAF's does.
  if (::dlsym(RTLD_DEFAULT, "SSL_read") == reinterpret_cast<void*>(&SSL_read))
    return {};
  return make_failure(identity_errc::unusable,
                      "this program was linked so that CAF calls OpenSSL past it: one connection "
                      "that fails would break all others; link it with --export-dynamic");
}

} // namespace novacron
