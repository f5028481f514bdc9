#include "dwcp/transport/path_figures.hpp"

#include <array>
#include <cstring>
#include <linux/tcp.h> // knows more of TCP_INFO than libc's
#include <netinet/in.h>
#include <sys/socket.h>

namespace novacron {

namespace {

constexpr size_t longest_control_name = 16; // the kernel's TCP_CA_NAME_MAX

} // namespace

path_figures path_of(const descriptor& socket) {
  tcp_info about{};
  socklen_t size = sizeof(about);
  if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &about, &size) != 0)
    return {};
  return {about.tcpi_segs_out, about.tcpi_total_retrans, std::chrono::microseconds{about.tcpi_rtt},
          std::chrono::microseconds{about.tcpi_min_rtt}};
}

std::string congestion_control_of(const descriptor& socket) {
  std::array<char, longest_control_name> name{};
  socklen_t size = name.size();
  if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0)
    return {};
  return {name.data(), ::strnlen(name.data(), size)};
}

bool set_congestion_control(const descriptor& socket, const std::string& name) {
  return ::setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(),
                      static_cast<socklen_t>(name.size()))
         == 0;
}

} // namespace novacron
