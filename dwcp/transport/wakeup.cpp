#include "dwcp/transport/wakeup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>

namespace novacron {

wakeup::wakeup() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!event_)
    throw std::system_error{errno, std::generic_category(), "eventfd"};
}

void wakeup::raise() const {
  const uint64_t one = 1;
  // It can only fail when it is raised already.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof(one));
}

void wakeup::clear() const {
  uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(event_.get(), &count, sizeof(count));
}

bool wakeup::raised() const {
  pollfd p{event_.get(), POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}

readiness wait_for(int fd, short events, const wakeup& stop, deadline until) {
  for (;;) {
    const auto left
        = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto patience = std::clamp<int64_t>(left.count(), 0, 60'000);
    std::array<pollfd, 2> both{{{fd, events, 0}, {stop.fd(), POLLIN, 0}}};
    const int count = ::poll(both.data(), both.size(), static_cast<int>(patience));
    if (both[1].revents != 0)
      return readiness::interrupted;
    if (count > 0)
      return readiness::ready;
    if (count == 0 && left.count() <= 60'000)
      return readiness::timed_out;
  }
}

} // namespace novacron
