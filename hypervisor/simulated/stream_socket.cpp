#include "hypervisor/simulated/stream_socket.hpp"

#include "hypervisor/errors.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr auto accept_limit = std::chrono::hours{24};
constexpr int poll_milliseconds = 10;
constexpr int backlog = 16;

failure broken(const std::string& why) {
  return make_failure(hypervisor_errc::aborted,
                      "a stream of the simulation: " + why + "; what it was for is off");
}

/// Opens a socket and does `what` (bind or connect) with the path's address.
template <class Call>
int with_address(const fs::path& path, Call what) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if (what(fd, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(sizeof address)) == 0)
    return fd;
  int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

} // namespace

result<stream_socket> stream_socket::listen(const fs::path& path) {
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  fs::remove(path, ignored);
  int fd = with_address(path, [](int s, sockaddr* address, socklen_t size) {
    return ::bind(s, address, size) == 0 ? ::listen(s, backlog) : -1;
  });
  if (fd < 0)
    return make_failure(hypervisor_errc::refused, "cannot listen on " + path.native() + ": "
                                                      + std::strerror(errno)
                                                      + "; choose another path");
  return stream_socket{fd};
}

result<stream_socket> stream_socket::connect(const fs::path& path) {
  int fd = with_address(path, ::connect);
  if (fd < 0)
    return broken("cannot connect to " + path.native() + ": " + std::strerror(errno));
  return stream_socket{fd};
}

result<void> stream_socket::wait(short events, const std::atomic<bool>& stop,
                                 std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    pollfd one{descriptor_.get(), events, 0};
    if (stop)
      return broken("stopped by our own side");
    if (::poll(&one, 1, poll_milliseconds) > 0)
      return {};
    if (std::chrono::steady_clock::now() > deadline)
      return broken("the peer is silent");
  }
}

result<stream_socket> stream_socket::accept(const std::atomic<bool>& stop) {
  if (auto ready = wait(POLLIN, stop, accept_limit); !ready)
    return ready.error();
  int fd = ::accept4(descriptor_.get(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0)
    return broken(std::string{"accept: "} + std::strerror(errno));
  return stream_socket{fd};
}

result<void> stream_socket::write(std::span<const std::byte> bytes, const std::atomic<bool>& stop) {
  while (!bytes.empty()) {
    if (auto ready = wait(POLLOUT, stop, silence_limit); !ready)
      return ready;
    auto count = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    if (count <= 0)
      return broken(std::string{"write: "} + std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

result<void> stream_socket::read(std::span<std::byte> bytes, const std::atomic<bool>& stop,
                                 std::chrono::milliseconds limit) {
  while (!bytes.empty()) {
    if (stop)
      return broken("stopped by our own side");
    auto count = ::recv(descriptor_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (auto ready = wait(POLLIN, stop, limit); !ready)
        return ready;
      continue;
    }
    if (count <= 0)
      return broken("it ended too early");
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

void stream_socket::shut() const {
  ::shutdown(descriptor_.get(), SHUT_RDWR);
}

int stream_socket::peer_pid() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(descriptor_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

} // namespace novacron
