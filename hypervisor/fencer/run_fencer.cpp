#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/chore.hpp"
#include "hypervisor/fencer/fencer_loop.hpp"
#include "hypervisor/fencer/libvirtd_launch.hpp"
#include "hypervisor/fencer/state_folder.hpp"
#include "messages/descriptor.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace novacron {

namespace {

/// When the machine is out of memory or time, the fencer is the last to feel
/// it: as far as we may.
void hold_on() {
  ::prctl(PR_SET_NAME, "novacron-fencer");
  ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  ::setpriority(PRIO_PROCESS, 0, -10);
  descriptor oom{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
  [[maybe_unused]] auto written = ::write(oom.get(), "-1000", 5);
}

int fail(const failure& why) {
  std::fprintf(stderr, "%s\n", why.message.c_str());
  return 2;
}

result<watchdog_keeper> arm(const watchdog_config& config) {
  auto device = open_watchdog(config.device);
  if (!device)
    return device.error();
  return watchdog_keeper::arm(std::move(*device), config.timeout);
}

} // namespace

int run_fencer(const fencer_config& config) {
  libvirtd_process libvirtd{config};
  const auto& state = libvirtd.layout().state;
  if (auto claimed = claim_state_folder(state); !claimed)
    return fail(claimed.error());
  auto lock = lock_state_folder(state);
  if (!lock)
    return fail(lock.error());
  hold_on();
  fencer_loop loop{config, libvirtd, deadline_file{state / "deadline", current_boot()}};
  loop.enforce();
  if (auto prepared = libvirtd.prepare(); !prepared)
    return fail(prepared.error());
  if (::access(config.libvirtd.c_str(), X_OK) != 0)
    return fail(make_failure(hypervisor_errc::not_supported,
                             "can't execute libvirtd " + config.libvirtd.native()
                                 + "; install it (libvirt-daemon) or give its path"));
  auto listener = listen_in_folder(state);
  if (!listener)
    return fail(listener.error());
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return fail(make_failure(hypervisor_errc::not_supported,
                             "can't become a subreaper; Linux 3.4 or later is needed"));
  if (config.watchdog) { // last: what is armed must not be refused any more
    auto armed = arm(*config.watchdog);
    if (!armed)
      return fail(armed.error());
    loop.back_with(std::move(*armed));
  }
  detach_log(bounded_log{state / "fencer.log"});
  return loop.run(std::move(*listener));
}

} // namespace novacron
