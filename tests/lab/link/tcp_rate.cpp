#include "tests/lab/link/tcp_rate.hpp"

#include "messages/descriptor.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <vector>

namespace novacron::lab {

namespace {

constexpr uint16_t port = 5'201;
constexpr size_t piece = 256u << 10;
constexpr int connect_seconds = 5;

void require(bool good, const char* what) {
  if (!good)
    throw std::system_error{errno, std::generic_category(), what};
}

descriptor tcp_socket() {
  descriptor out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  require(out.get() >= 0, "socket");
  const timeval limit{connect_seconds, 0};
  ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return out;
}

sockaddr_in at(const char* address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

} // namespace

double tcp_rate_mbit_per_s(const emulated_link& link, size_t bytes) {
  const auto address = at(emulated_link::address_b);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  descriptor listener;
  descriptor sender;
  link.b().inside([&] { listener = tcp_socket(); });
  link.a().inside([&] { sender = tcp_socket(); });
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  require(::bind(listener.get(), where, sizeof address) == 0, "bind");
  require(::listen(listener.get(), 1) == 0, "listen");
  require(::connect(sender.get(), where, sizeof address) == 0, "connect");
  const descriptor receiver{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  require(receiver.get() >= 0, "accept");

  std::thread sending{[&] {
    const std::vector<char> content(piece, 'x');
    for (size_t left = bytes; left > 0;) {
      const auto sent = ::send(sender.get(), content.data(), std::min(left, piece), MSG_NOSIGNAL);
      if (sent <= 0)
        break;
      left -= static_cast<size_t>(sent);
    }
    ::shutdown(sender.get(), SHUT_WR);
  }};
  std::vector<char> buffer(piece);
  size_t received = 0;
  size_t first = 0;
  std::chrono::steady_clock::time_point begin;
  for (;;) {
    const auto got = ::recv(receiver.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0)
      break;
    if (received == 0) {
      begin = std::chrono::steady_clock::now();
      first = static_cast<size_t>(got);
    }
    received += static_cast<size_t>(got);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  sending.join();
  if (received != bytes)
    throw std::system_error{std::make_error_code(std::errc::connection_reset),
                            "only " + std::to_string(received) + " bytes arrived"};
  return static_cast<double>(received - first) * 8 / 1e6 / took.count();
}

} // namespace novacron::lab
