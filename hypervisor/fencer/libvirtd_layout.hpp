#pragma once

#include "hypervisor/fencer/fencer.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace novacron {

/// Where one host's libvirtd keeps its things. Absolute paths, all below the
/// host's state folder:
///
/// | session | system, and what it is bound over | what |
/// |---|---|---|
/// | config/ | etc/ on /etc/libvirt | libvirtd.conf, qemu.conf |
/// | run/    | run/ on /run/libvirt | sockets, pid file, state of living guests |
/// | config/ | lib/ on /var/lib/libvirt | QEMU's monitor sockets |
/// | cache/  | cache/ on /var/cache/libvirt | QEMU's capabilities: 4 s to probe, kept |
/// | cache/  | log/ on /var/log/libvirt | QEMU's logs |
///
/// A UNIX socket's path has at most 107 bytes, and libvirt adds 72 to its
/// folder's. So a state folder of more than 32 bytes gets a short second name,
/// a symbolic link in /run/novacron (in /run/user/<uid>/novacron for those who
/// aren't root), called after the first 8 hexadecimal digits of the host's id.
/// `root` is that name, and every path here starts with it.
struct libvirtd_layout {
  std::filesystem::path state;        ///< the folder itself
  std::filesystem::path root;         ///< `state`, or its short name
  std::filesystem::path config;       ///< libvirtd.conf, for its command line
  std::filesystem::path qemu_config;  ///< qemu.conf, where libvirtd looks for it
  std::filesystem::path socket;       ///< as we connect to it, from outside of any mount namespace
  std::filesystem::path pid_file;     ///< libvirtd's own, for its command line
  std::filesystem::path log;          ///< what libvirtd says
  std::filesystem::path capabilities; ///< libvirt's cache of what QEMU can do
  std::vector<std::filesystem::path> folders; ///< to be made, parents first
  /// System mode: what is bound over what in the mount namespace.
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> binds;
};

/// Pure but for the caller's uid.
libvirtd_layout lay_out_libvirtd(const fencer_config& config);

/// For virConnectOpen, as in "qemu+unix:///session?socket=/…/libvirt-sock".
std::string libvirt_uri(const fencer_config& config);

/// The text of libvirtd.conf and of qemu.conf.
std::string libvirtd_conf(const fencer_config& config);
std::string qemu_conf(libvirt_mode mode);

} // namespace novacron
