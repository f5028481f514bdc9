#include "dwcp/transport/socket_bio.hpp"

#include <cerrno>
#include <memory>
#include <openssl/bio.h>
#include <sys/socket.h>

namespace novacron {

namespace {

struct counted_socket {
  int fd;
  wire_counter& counter;
};

counted_socket& socket_of(BIO* bio) {
  return *static_cast<counted_socket*>(BIO_get_data(bio));
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int write_socket(BIO* bio, const char* bytes, size_t size, size_t* written) {
  BIO_clear_retry_flags(bio);
  const auto count = ::send(socket_of(bio).fd, bytes, size, MSG_NOSIGNAL);
  if (count < 0) {
    if (would_block(errno))
      BIO_set_retry_write(bio);
    return 0;
  }
  *written = static_cast<size_t>(count);
  socket_of(bio).counter.sent_bytes += *written;
  return 1;
}

int read_socket(BIO* bio, char* bytes, size_t size, size_t* taken) {
  BIO_clear_retry_flags(bio);
  const auto count = ::recv(socket_of(bio).fd, bytes, size, 0);
  if (count < 0 && would_block(errno))
    BIO_set_retry_read(bio);
  if (count == 0)
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (count <= 0)
    return 0;
  *taken = static_cast<size_t>(count);
  socket_of(bio).counter.received_bytes += *taken;
  return 1;
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
  case BIO_CTRL_FLUSH:
    return 1;
  case BIO_CTRL_EOF:
    return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  default:
    return 0;
  }
}

int destroy(BIO* bio) {
  delete static_cast<counted_socket*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

struct method_deleter {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

BIO_METHOD* socket_method() {
  static const auto method = [] {
    std::unique_ptr<BIO_METHOD, method_deleter> made{
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "counted socket")};
    if (made) {
      BIO_meth_set_write_ex(made.get(), write_socket);
      BIO_meth_set_read_ex(made.get(), read_socket);
      BIO_meth_set_ctrl(made.get(), control);
      BIO_meth_set_destroy(made.get(), destroy);
    }
    return made;
  }();
  return method.get();
}

} // namespace

bio_st* new_socket_bio(int fd, wire_counter& counter) {
  auto* bio = socket_method() != nullptr ? BIO_new(socket_method()) : nullptr;
  if (bio == nullptr)
    return nullptr;
  BIO_set_data(bio, new counted_socket{fd, counter});
  BIO_set_init(bio, 1);
  return bio;
}

} // namespace novacron
