#include "tests/bench/migration/libvirt_side.hpp"

#include "dwcp/transport/sockets.hpp"
#include "hypervisor/libvirt/libvirt_hypervisor.hpp"
#include "tests/becomes_true.hpp"
#include "tests/lab/qemu/bare_guest.hpp"
#include "tests/reap_children.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <sys/stat.h>

namespace novacron::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

template <class T>
T value_of(result<T> x) {
  if (!x)
    throw std::runtime_error{x.error().message};
  return std::move(*x);
}

fs::path new_folder() {
  char folder[] = "/tmp/nova-XXXXXX"; // short: libvirt appends much to it
  if (::mkdtemp(folder) == nullptr)
    throw std::runtime_error{"no folder can be made in /tmp"};
  return folder;
}

fencer_config config_for(const fs::path& state) {
  fencer_config out;
  out.host = node_id{random_uuid()};
  out.state = state;
  return out;
}

void copy_for_owner_of(const fs::path& from, const fs::path& to, const fs::path& like) {
  struct stat facts {};
  if (!fs::exists(from) || ::stat(like.c_str(), &facts) != 0)
    return;
  fs::create_directories(to.parent_path());
  fs::copy(from, to, fs::copy_options::recursive);
  auto give = [&](const fs::path& file) {
    [[maybe_unused]] const auto given = ::lchown(file.c_str(), facts.st_uid, facts.st_gid);
  };
  give(to.parent_path());
  give(to);
  for (const auto& entry : fs::recursive_directory_iterator{to})
    give(entry.path());
}

} // namespace

libvirt_side::libvirt_side(const lab::network_namespace& where, node_id guests_of,
                           const bench_place& place)
    : guests_of_{guests_of}, state_{new_folder()}, config_{config_for(state_)}, daemon_{config_} {
  reap_children_from_now_on();
  fs::create_directory(state_ / "image");
  for (const auto* name : {"vmlinuz", "initrd.gz"})
    fs::copy_file(place.image / name, state_ / "image" / name);
  if (auto prepared = daemon_.prepare(); !prepared)
    throw std::runtime_error{prepared.error().message};
  const auto kept = place.states / "capabilities"; // libvirt takes seconds to find them out
  const auto& capabilities = daemon_.layout().capabilities;
  copy_for_owner_of(kept, capabilities, capabilities.parent_path().parent_path());
  std::promise<void> started;
  auto start = started.get_future();
  keeper_ = std::thread{[this, &where, started = std::move(started)]() mutable {
    keep_daemon(where, std::move(started));
  }};
  try {
    start.get();
    if (!becomes_true(10s, [&] { return connect_unix(daemon_.socket()).has_value(); }))
      throw std::runtime_error{"libvirtd doesn't listen"};
    driver_ = value_of(make_libvirt_hypervisor({daemon_.socket(),
                                                config_.mode,
                                                guests_of,
                                                {},
                                                false,
                                                {state_ / "streams", state_ / "console"}}));
  } catch (...) {
    end_.set_value();
    keeper_.join();
    std::error_code ignored;
    fs::remove_all(state_, ignored);
    throw;
  }
  std::error_code ignored;
  if (!fs::exists(kept))
    fs::copy(capabilities, kept, fs::copy_options::recursive, ignored);
  driver_->subscribe([this](const guest_event&) {
    const std::scoped_lock lock{mutex_};
    event_ = true;
    changed_.notify_all();
  });
}

libvirt_side::~libvirt_side() {
  driver_.reset();
  for (const auto& guest : find_guest_processes())
    if (guest.mark.host == guests_of_)
      ::kill(guest.pid, SIGKILL);
  end_.set_value();
  keeper_.join();
  std::error_code ignored;
  if (daemon_.layout().root != daemon_.layout().state)
    fs::remove(daemon_.layout().root, ignored);
  fs::remove_all(state_, ignored);
}

void libvirt_side::keep_daemon(const lab::network_namespace& where, std::promise<void> started) {
  pid_t pid = 0;
  auto ended = end_.get_future();
  try {
    where.inside([&] {
      pid = value_of(daemon_.start());
      started.set_value();
      ended.wait();
      ::kill(pid, SIGKILL);
    });
  } catch (...) {
    if (pid == 0)
      started.set_exception(std::current_exception());
  }
  if (pid != 0)
    becomes_true(5s, [&] { return ::kill(pid, 0) != 0; });
}

guest_spec libvirt_side::spec(vm_id vm, const std::string& kernel_arguments,
                              uint64_t number) const {
  guest_spec out;
  out.vm = vm;
  out.name = "bench";
  out.epoch = {1, number};
  out.memory_mib = lab::guest_mib;
  out.kernel = state_ / "image" / "vmlinuz";
  out.initrd = state_ / "image" / "initrd.gz";
  out.kernel_arguments = "console=ttyS0 quiet " + kernel_arguments;
  out.console_log = state_ / "console" / (to_string(vm) + ".log");
  return out;
}

fs::path libvirt_side::socket(const std::string& name) const {
  return state_ / "streams" / name;
}

std::optional<libvirt_side::time> libvirt_side::runs(vm_id vm, std::chrono::milliseconds limit) {
  {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, limit, [this] { return event_; });
    event_ = false;
  }
  const auto guests = value_of(driver_->list());
  const auto now = std::chrono::steady_clock::now();
  const auto running = std::ranges::any_of(
      guests, [&](const auto& x) { return x.vm == vm && x.phase == guest_phase::running; });
  return running ? std::optional{now} : std::nullopt;
}

} // namespace novacron::bench
