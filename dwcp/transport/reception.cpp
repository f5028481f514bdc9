#include "dwcp/transport/reception.hpp"

#include "dwcp/transport/session_thread.hpp"
#include "dwcp/transport/sockets.hpp"

#include <cerrno>
#include <exception>
#include <memory>
#include <poll.h>
#include <utility>

namespace novacron {

namespace {

/// Between two tries to accept when the process has no descriptor left.
constexpr std::chrono::milliseconds accept_again{100};

} // namespace

reception::reception(descriptor listener, size_t most, host welcome)
    : listener_{std::move(listener)}, port_{local_port(listener_)}, most_{most}, welcome_{std::move(
                                                                                     welcome)} {
  listening_ = start_session_thread([this] { welcome_all(); });
}

reception::~reception() {
  closing_.raise();
  listening_.join();
  for (auto& each : visitors_)
    each.thread.join();
}

void reception::welcome_all() {
  while (wait_for(listener_.get(), POLLIN, closing_, deadline::max()) == readiness::ready) {
    sweep();
    auto socket = accept_one(listener_);
    // No descriptor to be had: who knocks waits in the kernel's queue, and we don't spin.
    if (!socket && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
      wait_for(-1, 0, closing_, std::chrono::steady_clock::now() + accept_again);
    if (!socket || visitors_.size() >= most_)
      continue; // closed: strangers must not use up what others need
    auto& x = visitors_.emplace_back();
    try {
      x.thread = start_session_thread(
          [this, &x, taken = std::make_shared<descriptor>(std::move(socket))] {
            welcome_(std::move(*taken), closing_);
            x.gone = true;
          });
    } catch (const std::exception&) {
      visitors_.pop_back(); // no thread to be had
    }
  }
}

/// Joins the threads of connections that are over.
void reception::sweep() {
  for (auto x = visitors_.begin(); x != visitors_.end();) {
    if (x->gone) {
      x->thread.join();
      x = visitors_.erase(x);
    } else {
      ++x;
    }
  }
}

} // namespace novacron
