#include "dwcp/transport/sockets.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>

namespace novacron {

namespace {

constexpr int unsent_bytes = 128 << 10;

std::string reason(int error) {
  return std::generic_category().message(error);
}

result<sockaddr_un> unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.size() >= sizeof(address.sun_path))
    return make_failure(dwcp_errc::too_many,
                        "stream socket " + text + ": the path is longer than "
                            + std::to_string(sizeof(address.sun_path) - 1)
                            + " bytes, UNIX sockets' limit; use a shorter folder");
  text.copy(address.sun_path, text.size());
  return address;
}

descriptor new_socket(int family) {
  return descriptor{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

struct address_list_deleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, address_list_deleter>;

result<descriptor> connect_one(const addrinfo& address, const std::string& where,
                               const wakeup& stop, deadline until) {
  auto socket = new_socket(address.ai_family);
  if (socket && ::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0)
    return socket;
  int error = errno;
  if (error == EINPROGRESS) {
    switch (wait_for(socket.get(), POLLOUT, stop, until)) {
    case readiness::interrupted:
      return make_failure(dwcp_errc::cancelled, "connection to " + where + ": cancelled");
    case readiness::timed_out:
      return make_failure(dwcp_errc::timed_out,
                          "connection to " + where
                              + ": no answer in time; check the address and the firewall");
    case readiness::ready:
      break;
    }
    socklen_t size = sizeof(error);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
      return socket;
  }
  return make_failure(dwcp_errc::unreachable,
                      "connection to " + where + ": " + reason(error)
                          + "; check that the destination's node runs and its DWCP port");
}

} // namespace

result<descriptor> connect_tcp(const std::string& host, uint16_t port, const wakeup& stop,
                               deadline until) {
  const auto where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int outcome = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const address_list addresses{found};
  if (outcome != 0)
    return make_failure(dwcp_errc::unreachable, "connection to " + where + ": "
                                                    + ::gai_strerror(outcome)
                                                    + "; check the destination's address");
  for (const auto* each = addresses.get();; each = each->ai_next) {
    auto socket = connect_one(*each, where, stop, until);
    if (socket || each->ai_next == nullptr)
      return socket;
  }
}

result<descriptor> listen_tcp(const std::string& address, uint16_t port) {
  const auto where = address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int outcome = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  const address_list addresses{found};
  if (outcome != 0)
    return make_failure(dwcp_errc::unreachable, "DWCP port " + where + ": "
                                                    + ::gai_strerror(outcome)
                                                    + "; give an address of this host");
  auto socket = new_socket(addresses->ai_family);
  const int yes = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0
      || ::bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0
      || ::listen(socket.get(), SOMAXCONN) != 0)
    return make_failure(dwcp_errc::unreachable, "DWCP port " + where + ": can't listen: "
                                                    + reason(errno) + "; choose another port");
  return socket;
}

uint16_t local_port(const descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

result<descriptor> listen_unix(const std::filesystem::path& path) {
  const auto address = unix_address(path);
  if (!address)
    return address.error();
  std::error_code ignored;
  if (std::filesystem::is_socket(path, ignored))
    std::filesystem::remove(path, ignored);
  auto socket = new_socket(AF_UNIX);
  if (!socket
      || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0
      || ::chmod(path.c_str(), 0666) != 0 || ::listen(socket.get(), 1) != 0)
    return make_failure(dwcp_errc::unreachable, "stream socket " + path.native()
                                                    + ": can't listen: " + reason(errno)
                                                    + "; check that the folder exists and is ours");
  return socket;
}

result<descriptor> connect_unix(const std::filesystem::path& path) {
  const auto address = unix_address(path);
  if (!address)
    return address.error();
  auto socket = new_socket(AF_UNIX);
  // A UNIX socket connects at once, or its listener's queue is full.
  if (!socket
      || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address))
             != 0)
    return make_failure(dwcp_errc::stream_broken,
                        "stream socket " + path.native() + ": can't connect to the incoming guest: "
                            + reason(errno) + "; prepare the migration again");
  return socket;
}

descriptor accept_one(const descriptor& listener) {
  return descriptor{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
}

void tune_stream(const descriptor& socket) {
  const int yes = 1;
  // Both only make it faster.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof(unsent_bytes));
}

} // namespace novacron
