#pragma once

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/hypervisor.hpp"

namespace novacron {

struct libvirt_config {
  std::filesystem::path socket; ///< libvirtd's, as the fencer tells it
  libvirt_mode mode = libvirt_mode::session;
  node_id host; ///< guests of other hosts are neither listed nor touched
  boot_id boot; ///< nil: the one the kernel tells
  bool prefer_kvm = true;
  /// Folders in which QEMU must be able to make files (stream sockets, consoles).
  /// Made when the driver starts, where missing, and given to QEMU's user: whoever
  /// makes one first, as root, would lock QEMU out.
  std::vector<std::filesystem::path> guest_folders = {};
};

/// The driver for libvirt. Connects, and finds out what QEMU can be: blocks for
/// seconds when this libvirtd has never looked at its QEMU. Fails with
/// `unreachable` or `not_supported`.
result<std::unique_ptr<hypervisor>> make_libvirt_hypervisor(const libvirt_config& config);

} // namespace novacron
