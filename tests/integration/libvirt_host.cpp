#include "tests/integration/libvirt_host.hpp"

#include "hypervisor/libvirt/libvirt_hypervisor.hpp"
#include "tests/reap_children.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace novacron::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

bool listens(const fs::path& socket) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
  bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

fencer_config config_for(libvirt_mode mode) {
  char folder[] = "/tmp/nova-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  fencer_config config;
  config.host = node_id{random_uuid()};
  config.state = folder;
  config.mode = mode;
  return config;
}

void give_to(const fs::path& tree, uid_t uid, gid_t gid) {
  ::lchown(tree.c_str(), uid, gid);
  for (const auto& entry : fs::recursive_directory_iterator{tree})
    ::lchown(entry.path().c_str(), uid, gid);
}

/// libvirt takes seconds to find out what a QEMU can do, and keeps it in its
/// cache: the tests of a build folder ask once.
fs::path kept_capabilities(libvirt_mode mode) {
  return fs::path{NOVACRON_GUEST_FOLDER}
         / (mode == libvirt_mode::session ? "capabilities-session" : "capabilities-system");
}

} // namespace

bool possible(libvirt_mode mode) {
  const bool may = mode == libvirt_mode::session || ::geteuid() == 0;
  if (!may)
    MESSAGE("skipped: system mode needs root");
  return may;
}

libvirt_host::libvirt_host(libvirt_mode mode) : config_{config_for(mode)}, daemon_{config_} {
  reap_children_from_now_on();
  auto image = config_.state / "image";
  fs::create_directory(image);
  for (const auto* name : {"vmlinuz", "initrd.gz"})
    fs::copy_file(fs::path{NOVACRON_GUEST_FOLDER} / name, image / name);
  auto prepared = daemon_.prepare();
  REQUIRE_MESSAGE(prepared.has_value(), (prepared ? "" : prepared.error().message));
  auto folder = daemon_.layout().capabilities;
  auto kept = kept_capabilities(mode);
  struct stat facts {};
  if (fs::exists(kept) && ::stat(folder.parent_path().parent_path().c_str(), &facts) == 0) {
    fs::create_directories(folder.parent_path());
    fs::copy(kept, folder, fs::copy_options::recursive);
    give_to(folder.parent_path(), facts.st_uid, facts.st_gid);
  }
  start_daemon();
}

libvirt_host::~libvirt_host() {
  for (const auto& guest : find_guest_processes())
    if (guest.mark.host == config_.host)
      ::kill(guest.pid, SIGKILL);
  if (pid_ > 0)
    ::kill(pid_, SIGKILL);
  becomes_true(5s, [&] { return pid_ <= 0 || ::kill(pid_, 0) != 0; });
  std::error_code ignored;
  if (daemon_.layout().root != daemon_.layout().state)
    fs::remove(daemon_.layout().root, ignored);
  fs::remove_all(config_.state, ignored);
}

void libvirt_host::start_daemon() {
  auto pid = daemon_.start();
  REQUIRE_MESSAGE(pid.has_value(), (pid ? "" : pid.error().message));
  pid_ = *pid;
  REQUIRE(becomes_true(10s, [&] { return listens(daemon_.socket()); }));
}

void libvirt_host::kill_daemon() {
  ::kill(pid_, SIGKILL);
  REQUIRE(becomes_true(5s, [&] { return ::kill(pid_, 0) != 0; }));
  pid_ = 0;
}

std::unique_ptr<hypervisor> libvirt_host::connect_as(node_id host) {
  auto driver = make_libvirt_hypervisor({daemon_.socket(),
                                         config_.mode,
                                         host,
                                         {},
                                         true,
                                         {config_.state / "streams", config_.state / "console"}});
  REQUIRE_MESSAGE(driver.has_value(), (driver ? "" : driver.error().message));
  std::error_code ignored;
  if (auto kept = kept_capabilities(config_.mode); !fs::exists(kept))
    fs::copy(daemon_.layout().capabilities, kept, fs::copy_options::recursive, ignored);
  return std::move(*driver);
}

guest_spec libvirt_host::spec(vm_id vm, epoch number) const {
  guest_spec x;
  x.vm = vm;
  x.name = "ticker <&'\">";
  x.epoch = number;
  x.memory_mib = 128;
  x.kernel = config_.state / "image" / "vmlinuz";
  x.initrd = config_.state / "image" / "initrd.gz";
  x.kernel_arguments = "console=ttyS0 quiet novacron.region=16 novacron.sweep=2";
  x.cards = cards;
  x.console_log = config_.state / "console" / (to_string(vm) + ".log");
  return x;
}

fs::path libvirt_host::stream_socket(const std::string& name) const {
  return config_.state / "streams" / name;
}

int libvirt_host::processes(vm_id vm) const {
  int n = 0;
  for (const auto& guest : find_guest_processes())
    n += guest.mark.host == config_.host && guest.mark.vm == vm;
  return n;
}

void libvirt_host::kill_guest(vm_id vm) const {
  for (const auto& guest : find_guest_processes())
    if (guest.mark.host == config_.host && guest.mark.vm == vm)
      ::kill(guest.pid, SIGKILL);
}

std::optional<guest_status> status_of(hypervisor& driver, vm_id vm) {
  auto guests = driver.list();
  REQUIRE_MESSAGE(guests.has_value(), (guests ? "" : guests.error().message));
  for (const auto& guest : *guests)
    if (guest.vm == vm)
      return guest;
  return std::nullopt;
}

bool has_phase(hypervisor& driver, vm_id vm, guest_phase phase) {
  auto status = status_of(driver, vm);
  return status && status->phase == phase;
}

} // namespace novacron::test
