#include "runtime/node/stop_signal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <thread>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr size_t max_reason_bytes = 200; ///< less than PIPE_BUF: written at once

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

} // namespace

stop_signal::stop_signal() {
  const auto set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = descriptor{::signalfd(-1, &set, SFD_CLOEXEC)};
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0) {
    read_end_ = descriptor{ends[0]};
    write_end_ = descriptor{ends[1]};
  }
}

stop_signal::~stop_signal() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::string stop_signal::wait() {
  while (true)
    if (auto reason = wait_for(std::chrono::hours{1}))
      return *reason;
}

std::optional<std::string> stop_signal::wait_for(std::chrono::milliseconds limit) {
  std::array<pollfd, 2> both{{{signals_.get(), POLLIN, 0}, {read_end_.get(), POLLIN, 0}}};
  const auto n = ::poll(both.data(), both.size(), static_cast<int>(limit.count()));
  if (n <= 0)
    return std::nullopt;
  if (both[1].revents != 0) {
    std::array<char, max_reason_bytes> text{};
    const auto size = ::read(read_end_.get(), text.data(), text.size());
    return size > 0 ? std::string{text.data(), static_cast<size_t>(size)} : "an error";
  }
  signalfd_siginfo which{};
  if (::read(signals_.get(), &which, sizeof which) != sizeof which)
    return std::nullopt;
  return which.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
}

void stop_signal::request(const std::string& reason) {
  const auto text = reason.empty() ? std::string{"an error"} : reason.substr(0, max_reason_bytes);
  [[maybe_unused]] const auto written = ::write(write_end_.get(), text.data(), text.size());
}

void exit_after(std::chrono::milliseconds limit, int status) {
  std::thread{[limit, status] {
    const auto set = stopping_signals();
    const auto deadline = std::chrono::steady_clock::now() + limit;
    int which = -1;
    do { // again after SIGCONT, which interrupts it
      const auto left
          = std::max(0ns, std::chrono::nanoseconds{deadline - std::chrono::steady_clock::now()});
      const timespec time{static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
      which = ::sigtimedwait(&set, nullptr, &time);
    } while (which < 0 && errno == EINTR);
    std::fprintf(stderr, "novacron: %s; ending now\n",
                 which > 0 ? "asked to stop a second time" : "the orderly stop took too long");
    ::_exit(status);
  }}.detach();
}

} // namespace novacron
