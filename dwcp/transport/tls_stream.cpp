#include "dwcp/transport/tls_stream.hpp"

#include "dwcp/transport/socket_bio.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

namespace novacron {

namespace {

/// What OpenSSL says of the last call on `ssl`, as a failure of ours.
failure tls_failure(const SSL* ssl, const char* doing) {
  const auto error = ERR_peek_last_error();
  const auto reason = ERR_GET_REASON(error);
  const auto verdict = SSL_get_verify_result(ssl);
  // The peer's alerts about us, and our verdict about the peer.
  const bool alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET;
  const bool bad_peer = ERR_GET_LIB(error) == ERR_LIB_SSL
                        && (reason == SSL_R_CERTIFICATE_VERIFY_FAILED
                            || reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
  std::string why = "the connection ended";
  if (bad_peer && verdict != X509_V_OK) {
    why = X509_verify_cert_error_string(verdict);
  } else if (error != 0) {
    std::array<char, 256> text{};
    ERR_error_string_n(error, text.data(), text.size());
    why = text.data();
  }
  ERR_clear_error();
  if (alert || bad_peer)
    return make_failure(dwcp_errc::unauthorised,
                        std::string{"TLS connection: "} + doing + ": " + why
                            + "; both nodes need certificates of the same cluster");
  return make_failure(dwcp_errc::stream_broken, std::string{"TLS connection: "} + doing + ": " + why
                                                    + "; check the link between the nodes");
}

int read_some(SSL* ssl, void* bytes, size_t size, size_t* count) {
  return SSL_read_ex(ssl, bytes, size, count);
}

int write_some(SSL* ssl, void* bytes, size_t size, size_t* count) {
  return SSL_write_ex(ssl, bytes, size, count);
}

int shake_hands(SSL* ssl, void*, size_t, size_t*) {
  return SSL_do_handshake(ssl);
}

} // namespace

void tls_stream::ssl_deleter::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

tls_stream::tls_stream(const tls_context& context, descriptor socket, end which,
                       std::shared_ptr<wire_counter> counter)
    : counter_{std::move(counter)}, socket_{std::move(socket)}, ssl_{SSL_new(context.get())},
      which_{which} {
  auto* bio = new_socket_bio(socket_.get(), *counter_);
  if (!ssl_ || bio == nullptr)
    throw std::bad_alloc{};
  SSL_set_bio(ssl_.get(), bio, bio);
}

result<peer_identity> tls_stream::handshake(const wakeup& stop, deadline until) {
  if (which_ == end::client)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
  const auto done = move_bytes(shake_hands, nullptr, 0, stop, until, "handshake");
  if (!done)
    return done.error();
  const auto identity = identity_of(SSL_get0_peer_certificate(ssl_.get()));
  if (!identity)
    return make_failure(dwcp_errc::unauthorised,
                        "TLS connection: the peer's certificate names no node; "
                        "make the node's certificate again");
  return *identity;
}

bool tls_stream::established() {
  const std::scoped_lock lock{mutex_};
  return SSL_is_init_finished(ssl_.get()) == 1 && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

result<frame> tls_stream::read_frame(const wakeup& stop, std::chrono::milliseconds silence,
                                     deadline until) {
  frame_header_image image;
  if (auto read = read_exactly(image, stop, silence, until); !read)
    return read.error();
  const auto header = decode_frame_header(image);
  if (!header)
    return header.error();
  frame x{*header, std::vector<std::byte>(header->wire_bytes)};
  if (auto read = read_exactly(x.payload, stop, silence, until); !read)
    return read.error();
  return x;
}

result<void> tls_stream::write_frame(const frame& x, const wakeup& stop, deadline until) {
  auto header = x.header;
  header.wire_bytes = static_cast<uint32_t>(x.payload.size());
  const auto image = encode(header);
  if (auto written = write_all(image, stop, until); !written)
    return written;
  return write_all(x.payload, stop, until);
}

void tls_stream::sever() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

void tls_stream::close_write() {
  const std::scoped_lock lock{mutex_};
  ERR_clear_error();
  // Refused while a write is cut short; then the connection just ends.
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  ::shutdown(socket_.get(), SHUT_WR);
}

void tls_stream::drain(const wakeup& stop, deadline until) {
  std::array<std::byte, 4096> discarded;
  while (std::chrono::steady_clock::now() < until
         && wait_for(socket_.get(), POLLIN, stop, until) == readiness::ready)
    if (::recv(socket_.get(), discarded.data(), discarded.size(), 0) <= 0)
      return;
}

result<size_t> tls_stream::move_bytes(operation what, void* bytes, size_t size, const wakeup& stop,
                                      deadline until, const char* doing) {
  for (;;) {
    short events = 0;
    {
      const std::scoped_lock lock{mutex_};
      ERR_clear_error();
      size_t count = 0;
      const int outcome = what(ssl_.get(), bytes, size, &count);
      if (outcome > 0)
        return count;
      switch (SSL_get_error(ssl_.get(), outcome)) {
      case SSL_ERROR_WANT_READ:
        events = POLLIN;
        break;
      case SSL_ERROR_WANT_WRITE:
        events = POLLOUT;
        break;
      default:
        return tls_failure(ssl_.get(), doing);
      }
    }
    switch (wait_for(socket_.get(), events, stop, until)) {
    case readiness::ready:
      break;
    case readiness::interrupted:
      return make_failure(dwcp_errc::cancelled,
                          std::string{"TLS connection: "} + doing + ": the session ends");
    case readiness::timed_out:
      return make_failure(dwcp_errc::timed_out,
                          std::string{"TLS connection: "} + doing
                              + ": the other end is silent; check the link between the nodes");
    }
  }
}

result<void> tls_stream::read_exactly(std::span<std::byte> out, const wakeup& stop,
                                      std::chrono::milliseconds silence, deadline until) {
  while (!out.empty()) {
    const auto patience = std::min(until, std::chrono::steady_clock::now() + silence);
    const auto count = move_bytes(read_some, out.data(), out.size(), stop, patience, "read");
    if (!count)
      return count.error();
    out = out.subspan(*count);
  }
  return {};
}

result<void> tls_stream::write_all(std::span<const std::byte> in, const wakeup& stop,
                                   deadline until) {
  while (!in.empty()) {
    // OpenSSL only reads from it.
    auto* bytes = const_cast<std::byte*>(in.data());
    const auto count = move_bytes(write_some, bytes, in.size(), stop, until, "write");
    if (!count)
      return count.error();
    in = in.subspan(*count);
  }
  return {};
}

} // namespace novacron
