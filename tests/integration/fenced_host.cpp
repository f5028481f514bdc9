#include "fenced_host.hpp"

#include "hypervisor/fencer/libvirtd_process.hpp"
#include "hypervisor/fencer/pid_handle.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <doctest/doctest.h>
#include <fstream>
#include <memory>
#include <thread>
#include <unistd.h>

namespace novacron::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// QEMU's capabilities take 4 s to probe: what the first host of this test run
/// learned is given to the others.
fs::path seed(libvirt_mode mode) {
  return fs::temp_directory_path()
         / ("novacron-test-capabilities-" + std::to_string(::getuid())
            + (mode == libvirt_mode::session ? "-session" : "-system"));
}

void copy_capabilities(const fs::path& from, const fs::path& to, const fs::path& owner_of) {
  std::error_code error;
  fs::create_directories(to, error);
  fs::copy(from, to, fs::copy_options::overwrite_existing, error);
  auto command = "chown -R --reference=" + owner_of.native() + " " + owner_of.native();
  [[maybe_unused]] auto status = std::system(command.c_str());
}

} // namespace

bool alive(int pid) {
  auto process = pid_handle::open(pid);
  return process && !process.dead();
}

fenced_host::fenced_host(libvirt_mode mode) {
  config.host = {random_uuid()};
  config.mode = mode;
  config.state = "/tmp/nova-" + to_string(config.host).substr(0, 8);
  libvirtd_process libvirtd{config};
  REQUIRE(libvirtd.prepare().has_value());
  if (fs::exists(seed(mode)))
    copy_capabilities(seed(mode), libvirtd.layout().capabilities, config.state / "cache");
}

fenced_host::~fenced_host() {
  libvirtd_process libvirtd{config};
  std::error_code error;
  if (fs::exists(libvirtd.layout().capabilities) && !fs::exists(seed(config.mode))) {
    fs::create_directories(seed(config.mode), error);
    fs::copy(libvirtd.layout().capabilities, seed(config.mode), error);
  }
  for (auto pid : all_pids()) {
    auto arguments = split_proc_list(read_proc(pid, "cmdline"));
    if (std::find(arguments.begin(), arguments.end(), to_string(config.host)) != arguments.end()
        && arguments.size() > 1 && arguments[1] == "fencer") {
      ::kill(pid, SIGCONT);
      ::kill(pid, SIGTERM);
      auto process = pid_handle::open(pid);
      if (process && !process.dead(5s))
        process.signal(SIGKILL);
    }
  }
  static_cast<void>(libvirtd.end_all(2s));
  for (auto pid : guests_running())
    ::kill(pid, SIGKILL);
  if (fs::is_symlink(libvirtd.layout().root, error))
    fs::remove(libvirtd.layout().root, error);
  fs::remove_all(config.state, error);
}

fencer_client fenced_host::attach_fencer() {
  auto client = fencer_client::attach(config, FENCER_PROGRAM);
  if (!client)
    FAIL(client.error().message);
  return std::move(*client);
}

fencer_client fenced_host::attach() {
  auto client = attach_fencer();
  REQUIRE(becomes_true(20s, [&] { return virsh("version").find("QEMU") != std::string::npos; }));
  return client;
}

guest_mark fenced_host::new_mark(bool ha) const {
  return {config.host, {random_uuid()}, {1, 1}, ha};
}

std::string fenced_host::create_guest(const guest_mark& mark) const {
  auto id = to_string(mark.vm);
  auto file = config.state / "cache" / (id + ".xml");
  std::ofstream{file}
      << "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>" << id
      << "</name><uuid>" << id
      << "</uuid><memory unit='MiB'>16</memory><os><type machine='q35'>hvm</type></os>"
         "<features><acpi/></features><devices><controller type='usb' model='none'/><memballoon "
         "model='none'/></devices>"
         "<qemu:commandline><qemu:env name='"
      << guest_mark_variable << "' value='" << to_string(mark)
      << "'/></qemu:commandline></domain>\n";
  return virsh("create --paused " + file.native());
}

int fenced_host::start_guest(const guest_mark& mark) const {
  auto said = create_guest(mark);
  for (const auto& x : find_guest_processes())
    if (x.mark.vm == mark.vm)
      return x.pid;
  FAIL("no QEMU process for the guest: " << said);
  return 0;
}

int fenced_host::guests_listed() const {
  auto names = virsh("list --all --uuid");
  return static_cast<int>(std::count(names.begin(), names.end(), '-') / 4);
}

std::vector<int> fenced_host::guests_running() const {
  std::vector<int> pids;
  for (const auto& x : find_guest_processes())
    if (x.mark.host == config.host)
      pids.push_back(x.pid);
  return pids;
}

std::string fenced_host::virsh(const std::string& arguments) const {
  auto command = "timeout 20 virsh -c '" + libvirt_uri(config) + "' " + arguments + " 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> output{::popen(command.c_str(), "r"), ::pclose};
  std::string text;
  char buffer[4096];
  while (auto n = std::fread(buffer, 1, sizeof buffer, output.get()))
    text.append(buffer, n);
  return text;
}

} // namespace novacron::test
