#include "tests/lab/link/tun_device.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>

namespace novacron::lab {

namespace {

constexpr int mtu = 1500;
// The kernel's queue before ours: it must never be the one that drops.
constexpr int device_queue_packets = 20'000;
constexpr const char* device_name = "tun0";

void require(bool good, const char* what) {
  if (!good)
    throw std::system_error{errno, std::generic_category(), what};
}

ifreq request_for(const char* device) {
  ifreq request{};
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  return request;
}

sockaddr address_of(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  sockaddr out;
  std::memcpy(&out, &address, sizeof out);
  return out;
}

void bring_up(int control, const char* device) {
  auto request = request_for(device);
  require(::ioctl(control, SIOCGIFFLAGS, &request) == 0, device);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  require(::ioctl(control, SIOCSIFFLAGS, &request) == 0, device);
}

} // namespace

descriptor open_tun(const tun_options& options) {
  descriptor device{::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
  require(device.get() >= 0, "/dev/net/tun");
  auto request = request_for(device_name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  require(::ioctl(device.get(), TUNSETIFF, &request) == 0, "TUNSETIFF");
  const unsigned long offloads = options.segments ? TUN_F_CSUM | TUN_F_TSO4 : 0;
  require(::ioctl(device.get(), TUNSETOFFLOAD, offloads) == 0, "TUNSETOFFLOAD");

  const descriptor control{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  require(control.get() >= 0, "socket");
  bring_up(control.get(), "lo");
  request = request_for(device_name);
  request.ifr_addr = address_of(options.address);
  require(::ioctl(control.get(), SIOCSIFADDR, &request) == 0, "SIOCSIFADDR");
  request.ifr_netmask = address_of(options.netmask);
  require(::ioctl(control.get(), SIOCSIFNETMASK, &request) == 0, "SIOCSIFNETMASK");
  request = request_for(device_name);
  request.ifr_mtu = mtu;
  require(::ioctl(control.get(), SIOCSIFMTU, &request) == 0, "SIOCSIFMTU");
  request = request_for(device_name);
  request.ifr_qlen = device_queue_packets;
  require(::ioctl(control.get(), SIOCSIFTXQLEN, &request) == 0, "SIOCSIFTXQLEN");
  bring_up(control.get(), device_name);
  return device;
}

size_t bytes_on_wire(const std::byte* packet, size_t bytes) {
  packet_head head;
  std::memcpy(&head, packet, sizeof head);
  const auto size = bytes - sizeof head;
  const size_t data_offset
      = head.checksum_start + size_t{12}; // in the TCP header, in its upper four bits
  if (head.segmentation == 0 || head.segment_bytes == 0 || data_offset >= size)
    return size;
  const auto words = std::to_integer<size_t>(packet[sizeof head + data_offset]) >> 4;
  const auto headers = head.checksum_start + 4 * words;
  if (headers >= size)
    return size;
  const auto content = size - headers;
  return content + (content + head.segment_bytes - 1) / head.segment_bytes * headers;
}

} // namespace novacron::lab
