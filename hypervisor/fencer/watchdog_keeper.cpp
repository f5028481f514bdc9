#include "hypervisor/fencer/watchdog_keeper.hpp"

#include "hypervisor/errors.hpp"

#include <cstdio>

namespace novacron {

using namespace std::chrono_literals;

namespace {

/// A quarter of the shortest timeout; also how much too late a timeout is shortened.
constexpr auto period = 250ms;

} // namespace

watchdog_keeper::watchdog_keeper(std::unique_ptr<watchdog_device> device,
                                 std::chrono::seconds longest)
    : device_{std::move(device)}, longest_{longest}, rule_{longest}, set_{longest} {
  // nop
}

result<watchdog_keeper> watchdog_keeper::arm(std::unique_ptr<watchdog_device> device,
                                             std::chrono::seconds timeout) {
  auto set = device->set_timeout(timeout);
  if (set && *set >= 1s && *set <= timeout)
    return watchdog_keeper{std::move(device), *set};
  static_cast<void>(device->disarm());
  if (!set)
    return set.error();
  return make_failure(hypervisor_errc::refused,
                      "can't use the watchdog: told a timeout of " + std::to_string(timeout.count())
                          + " s, it took " + std::to_string(set->count())
                          + " s; raise lease.term_ms, or name another device in host.watchdog");
}

void watchdog_keeper::tick(time now, const std::optional<time>& deadline, bool all_dead) {
  const auto wanted = rule_.timeout(now, deadline, all_dead);
  // What may be longer again can't wait: it may be about to end.
  if (now < next_ && (!wanted || *wanted <= set_))
    return;
  next_ = now + period;
  if (!wanted) {
    say("guests that had to be dead are not: the watchdog isn't petted, and will reset this "
        "machine");
    return;
  }
  if (auto done = pet(*wanted); !done)
    say(done.error().message);
  else
    say({});
}

result<void> watchdog_keeper::pet(std::chrono::seconds timeout) {
  if (timeout == set_)
    return device_->pet();
  if (timeout < shortest_)
    return make_failure(hypervisor_errc::refused,
                        "the watchdog knows no timeout below " + std::to_string(shortest_.count())
                            + " s: until the guests are dead it isn't petted");
  auto set = device_->set_timeout(timeout);
  if (!set)
    return set.error();
  set_ = *set;
  // It was petted, for longer than was meant: not once more.
  if (set_ > timeout)
    shortest_ = set_;
  return {};
}

void watchdog_keeper::end(bool all_dead) {
  if (!all_dead) {
    std::fprintf(stderr, "the watchdog stays armed, and will reset this machine: guests that had "
                         "to be dead are not\n");
    return;
  }
  if (auto done = device_->disarm(); !done)
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
}

void watchdog_keeper::say(const std::string& what) {
  if (what == said_)
    return;
  std::fprintf(stderr, "%s\n", what.empty() ? "the watchdog is petted again" : what.c_str());
  said_ = what;
}

} // namespace novacron
