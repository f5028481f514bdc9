#include "actors/peer/openssl_calls.hpp"

#include "actors/peer/errors.hpp"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <utility>

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
  const std::array<std::pair<const char*, void*>, 4> calls{
      {{"SSL_read", reinterpret_cast<void*>(&SSL_read)},
       {"SSL_write", reinterpret_cast<void*>(&SSL_write)},
       {"SSL_accept", reinterpret_cast<void*>(&SSL_accept)},
       {"SSL_connect", reinterpret_cast<void*>(&SSL_connect)}}};
  // What a library finds that asks for the name, as CAF's does, and whom ours go on to.
  if (std::ranges::all_of(calls, [](const auto& each) {
        return ::dlsym(RTLD_DEFAULT, each.first) == each.second
               && ::dlsym(RTLD_NEXT, each.first) != nullptr;
      }))
    return {};
  return make_failure(identity_errc::unusable,
                      "this program was linked so that CAF calls OpenSSL past it: one connection "
                      "that fails would break all others; link it with --export-dynamic");
}

} // namespace novacron
