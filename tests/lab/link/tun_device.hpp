#pragma once

#include "messages/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace novacron::lab {

/// How a TUN device is set up.
struct tun_options {
  std::string address; ///< IPv4
  std::string netmask = "255.255.255.0";
  bool segments = false; ///< packets come and go as large as TCP makes them, before segmentation
};

/// What stands before each packet: `virtio_net_hdr` of linux/virtio_net.h, which
/// C++ can't include. Native byte order.
struct packet_head {
  uint8_t flags = 0;
  uint8_t segmentation = 0;    ///< 0: none is needed
  uint16_t header_bytes = 0;   ///< a hint
  uint16_t segment_bytes = 0;  ///< of content
  uint16_t checksum_start = 0; ///< where the TCP header begins
  uint16_t checksum_offset = 0;
};
static_assert(sizeof(packet_head) == 10);

/// Makes the device `tun0`, and brings it and the loopback up, in the network
/// namespace of the calling thread. The device goes with the descriptor, which
/// doesn't block. Each read and write is one packet behind a `packet_head`.
/// Throws std::system_error.
descriptor open_tun(const tun_options& options);

/// Room for a packet as large as TCP makes them, and its header.
inline constexpr size_t largest_packet = 65'536 + 512;

/// What a packet that was read would take of a wire: segmented, each segment with
/// its headers. `packet` begins with its `packet_head`.
size_t bytes_on_wire(const std::byte* packet, size_t bytes);

} // namespace novacron::lab
