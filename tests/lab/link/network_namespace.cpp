#include "tests/lab/link/network_namespace.hpp"

#include <cerrno>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <system_error>
#include <thread>

namespace novacron::lab {

namespace {

const std::filesystem::path folder = "/run/netns"; // iproute2's
constexpr std::string_view prefix = "novacron-";

void require(bool good, const std::string& what) {
  if (!good)
    throw std::system_error{errno, std::generic_category(), what};
}

/// Runs it in a thread of its own, whose namespace it may change.
void in_thread(const std::function<void()>& what) {
  std::exception_ptr failed;
  std::thread{[&] {
    try {
      what();
    } catch (...) {
      failed = std::current_exception();
    }
  }}.join();
  if (failed)
    std::rethrow_exception(failed);
}

void take_down(const std::filesystem::path& file) {
  ::umount2(file.c_str(), MNT_DETACH);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

} // namespace

network_namespace::network_namespace(const std::string& suffix)
    : name_{std::string{prefix} + std::to_string(::getpid()) + '-' + suffix}, file_{folder
                                                                                    / name_} {
  std::filesystem::create_directories(folder);
  const descriptor made{::open(file_.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)};
  require(made.get() >= 0, "cannot make " + file_.string());
  try {
    in_thread([&] {
      require(::unshare(CLONE_NEWNET) == 0, "no network namespace can be had (are you root?)");
      require(::mount("/proc/thread-self/ns/net", file_.c_str(), "none", MS_BIND, nullptr) == 0,
              "cannot mount " + file_.string());
    });
    handle_ = descriptor{::open(file_.c_str(), O_RDONLY | O_CLOEXEC)};
    require(handle_.get() >= 0, "cannot open " + file_.string());
  } catch (...) {
    take_down(file_);
    throw;
  }
}

network_namespace::~network_namespace() {
  take_down(file_);
}

void network_namespace::inside(const std::function<void()>& what) const {
  in_thread([&] {
    require(::setns(handle_.get(), CLONE_NEWNET) == 0, "cannot enter " + name_);
    what();
  });
}

void network_namespace::remove_abandoned() {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator{folder, none}) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(prefix))
      continue;
    const auto owner = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    if (owner > 0 && ::kill(static_cast<pid_t>(owner), 0) != 0 && errno == ESRCH)
      take_down(entry.path());
  }
}

} // namespace novacron::lab
