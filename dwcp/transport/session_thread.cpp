#include "dwcp/transport/session_thread.hpp"

#include <csignal>
#include <utility>

namespace novacron {

namespace {

/// Blocks all signals of this thread, and so of those that it starts.
class signals_blocked {
public:
  signals_blocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
  sigset_t before_{};
};

} // namespace

std::thread start_session_thread(std::function<void()> body) {
  const signals_blocked blocked;
  return std::thread{std::move(body)};
}

} // namespace novacron
