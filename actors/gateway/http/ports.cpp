#include "actors/gateway/http/ports.hpp"

#include "actors/gateway/errors.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace novacron {

namespace {

struct socket_name {
  sockaddr_storage address{};
  socklen_t size = 0;
};

result<socket_name> parse_address(const std::string& address, uint16_t port) {
  socket_name x;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&x.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&x.address);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    x.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    x.size = sizeof *v6;
  } else {
    return make_failure(gateway_errc::bad_address,
                        "gateway: \"" + address
                            + "\" is not an IP address; write one, such as 127.0.0.1 or ::");
  }
  return x;
}

/// One that is shared only has the port: to listen would be to get connections.
result<owned_socket> take_port(const std::string& address, uint16_t port, bool share) {
  auto at = parse_address(address, port);
  if (!at)
    return at.error();
  auto* name = reinterpret_cast<sockaddr*>(&at->address);
  owned_socket socket{::socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  int on = 1;
  bool taken
      = socket.get() >= 0
        && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
        && (!share || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0)
        && ::bind(socket.get(), name, at->size) == 0
        && (share || ::listen(socket.get(), SOMAXCONN) == 0);
  if (taken)
    return socket;
  auto error = errno;
  auto where = address + ":" + std::to_string(port);
  if (error == EADDRINUSE)
    return make_failure(gateway_errc::port_taken,
                        "gateway: port " + where
                            + " is taken by another process; end it, choose another port, or share "
                              "the API's: gateway.share_port = true for both");
  return make_failure(gateway_errc::cannot_listen,
                      "gateway: cannot listen at " + where + ": "
                          + std::generic_category().message(error)
                          + "; choose an address of this machine and a port above 1023");
}

uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

} // namespace

owned_socket& owned_socket::operator=(owned_socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

owned_socket::~owned_socket() {
  if (fd_ >= 0)
    ::close(fd_);
}

result<std::shared_ptr<const gateway_ports>> gateway_ports::open(const gateway_config& config) {
  auto api = take_port(config.address, config.port, config.share_port);
  if (!api)
    return api.error();
  owned_socket operators;
  if (config.operator_port) {
    // Never shared: each process counts for itself, and is asked by itself.
    auto socket = take_port(config.operator_address, *config.operator_port, false);
    if (!socket)
      return socket.error();
    operators = std::move(*socket);
  }
  return std::shared_ptr<const gateway_ports>{
      new gateway_ports{std::move(*api), std::move(operators)}};
}

uint16_t gateway_ports::api_port() const {
  return port_of(api_.get());
}

uint16_t gateway_ports::operator_port() const {
  return port_of(operator_.get());
}

} // namespace novacron
