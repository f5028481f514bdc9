#include "hypervisor/fencer/libvirtd_layout.hpp"

#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr size_t longest_root = 32;

fs::path short_names() {
  auto uid = ::geteuid();
  return uid == 0 ? fs::path{"/run/novacron"}
                  : fs::path{"/run/user"} / std::to_string(uid) / "novacron";
}

void lay_out_session(libvirtd_layout& x) {
  auto config = x.root / "config" / "libvirt";
  x.config = config / "libvirtd.conf";
  x.qemu_config = config / "qemu.conf";
  x.socket = x.root / "run" / "libvirt" / "libvirt-sock";
  x.pid_file = x.root / "run" / "libvirtd.pid";
  x.capabilities = x.root / "cache" / "libvirt" / "qemu" / "cache" / "capabilities";
  for (const auto* name : {"home", "run", "config", "cache", "data"})
    x.folders.push_back(x.root / name);
  x.folders.push_back(config);
}

void lay_out_system(libvirtd_layout& x) {
  x.config = "/etc/libvirt/libvirtd.conf";
  x.qemu_config = x.root / "etc" / "qemu.conf";
  x.socket = x.root / "run" / "libvirt-sock";
  x.pid_file = x.root / "run" / "libvirtd.pid";
  x.capabilities = x.root / "cache" / "qemu" / "capabilities";
  x.binds = {{x.root / "etc", "/etc/libvirt"},
             {x.root / "run", "/run/libvirt"},
             {x.root / "lib", "/var/lib/libvirt"},
             {x.root / "log", "/var/log/libvirt"},
             {x.root / "cache", "/var/cache/libvirt"}};
  for (const auto& [folder, over] : x.binds)
    x.folders.push_back(folder);
}

} // namespace

libvirtd_layout lay_out_libvirtd(const fencer_config& config) {
  libvirtd_layout x;
  x.state = fs::absolute(config.state).lexically_normal();
  if (x.state.filename().empty())
    x.state = x.state.parent_path();
  x.root = x.state;
  if (x.state.native().size() > longest_root)
    x.root = short_names() / to_string(config.host).substr(0, 8);
  x.log = x.state / "libvirtd.log";
  if (config.mode == libvirt_mode::session)
    lay_out_session(x);
  else
    lay_out_system(x);
  return x;
}

std::string libvirt_uri(const fencer_config& config) {
  const auto* driver = config.mode == libvirt_mode::session ? "session" : "system";
  return std::string{"qemu+unix:///"} + driver
         + "?socket=" + lay_out_libvirtd(config).socket.native();
}

std::string libvirtd_conf(const fencer_config& config) {
  // Only the owner of the socket gets in, so nobody is asked who he is. A
  // keepalive must outlast DWCP's resume window (30 s without a byte).
  return "host_uuid = \"" + to_string(config.host) + "\"\n"
         + "auth_unix_ro = \"none\"\n"
           "auth_unix_rw = \"none\"\n"
           "unix_sock_ro_perms = \"0600\"\n"
           "unix_sock_rw_perms = \"0600\"\n"
           "keepalive_interval = 10\n"
           "keepalive_count = 7\n"
           "max_workers = 40\n"
           "max_client_requests = 40\n"
           "log_outputs = \"3:stderr\"\n";
}

std::string qemu_conf(libvirt_mode mode) {
  std::string text = "stdio_handler = \"file\"\n"
                     "security_driver = \"none\"\n"
                     "cgroup_controllers = []\n"
                     "remember_owner = 0\n"
                     "max_core = 0\n"
                     "keepalive_interval = 10\n"
                     "keepalive_count = 7\n";
  if (mode == libvirt_mode::system)
    text += "user = \"root\"\n"
            "group = \"root\"\n"
            "dynamic_ownership = 0\n"
            "namespaces = []\n";
  return text;
}

} // namespace novacron
