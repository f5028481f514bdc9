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
};

/// The driver for libvirt. Connects, and finds out what QEMU can be: blocks for
/// seconds when this libvirtd has never looked at its QEMU. Fails with
/// `unreachable` or `not_supported`.
result<std::unique_ptr<hypervisor>> make_libvirt_hypervisor(const libvirt_config& config);

} // namespace novacron
