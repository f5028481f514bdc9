#include "hypervisor/fencer/watchdog_device.hpp"

#include "hypervisor/errors.hpp"
#include "messages/descriptor.hpp"

#include <cstring>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace novacron {

namespace {

failure unusable(const std::filesystem::path& path, const std::string& why,
                 const std::string& remedy) {
  return make_failure(hypervisor_errc::refused,
                      "can't use the watchdog " + path.native() + ": " + why + "; " + remedy);
}

/// What most often helps against this error of open(2).
std::string remedy_for(int error) {
  if (error == EBUSY)
    return "another program has it (systemd's RuntimeWatchdogSec, watchdogd): take it from there, "
           "name another device in host.watchdog, or drop that key";
  if (error == EACCES || error == EPERM)
    return "run the node as root, or drop host.watchdog";
  return "load its driver (softdog is one without hardware), or drop host.watchdog";
}

class linux_watchdog final : public watchdog_device {
public:
  linux_watchdog(descriptor device, std::filesystem::path path)
      : device_{std::move(device)}, path_{std::move(path)} {
    // nop
  }

  result<std::chrono::seconds> set_timeout(std::chrono::seconds wanted) override {
    auto seconds = static_cast<int>(wanted.count());
    if (::ioctl(device_.get(), WDIOC_SETTIMEOUT, &seconds) != 0)
      return unusable(path_,
                      "a timeout of " + std::to_string(wanted.count())
                          + " s is refused: " + std::strerror(errno),
                      "raise lease.term_ms, or name another device in host.watchdog");
    return std::chrono::seconds{seconds};
  }

  result<void> pet() override {
    int nothing = 0;
    if (::ioctl(device_.get(), WDIOC_KEEPALIVE, &nothing) != 0)
      return unusable(path_, std::string{"it can't be petted: "} + std::strerror(errno),
                      "look at its driver");
    return {};
  }

  result<void> disarm() override {
    const bool said = ::write(device_.get(), "V", 1) == 1; // the magic close
    const auto error = errno;
    device_.reset();
    if (!said)
      return unusable(path_, std::string{"it can't be disarmed: "} + std::strerror(error),
                      "the machine will be reset");
    return {};
  }

private:
  descriptor device_;
  std::filesystem::path path_;
};

} // namespace

result<std::unique_ptr<watchdog_device>> open_watchdog(const std::filesystem::path& path) {
  // Without O_NONBLOCK a FIFO would hold us.
  descriptor device{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!device)
    return unusable(path, std::strerror(errno), remedy_for(errno));
  watchdog_info about{};
  // Nothing was started, so there is nothing to disarm.
  if (::ioctl(device.get(), WDIOC_GETSUPPORT, &about) != 0)
    return unusable(path, std::string{"it is none: "} + std::strerror(errno),
                    "name a device such as /dev/watchdog in host.watchdog, or drop that key");
  const bool settable = (about.options & WDIOF_SETTIMEOUT) != 0;
  const bool stays = (about.options & WDIOF_MAGICCLOSE) != 0;
  auto opened = std::make_unique<linux_watchdog>(std::move(device), path);
  if (settable && stays)
    return opened;
  static_cast<void>(opened->disarm());
  return unusable(path,
                  settable ? "it would stop when the fencer dies, since it knows no magic close"
                           : "its timeout can't be set",
                  "name another device in host.watchdog, or drop that key");
}

} // namespace novacron
