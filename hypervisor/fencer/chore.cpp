#include "hypervisor/fencer/chore.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace novacron {

namespace {

/// Undoes the fencer's own signal mask and leaves its descriptors.
void leave_the_parent() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
}

[[noreturn]] void copy_input(const bounded_log& log) {
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(0, buffer, sizeof buffer)) > 0;) {
    log.renew(2);
    [[maybe_unused]] auto copied = ::write(2, buffer, static_cast<size_t>(n));
  }
  ::_exit(0);
}

descriptor start_copier(const bounded_log& log, bool to_log) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return {};
  const descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  auto pid = ::fork();
  if (pid == 0) {
    ::dup2(reading.get(), 0);
    // Where it can't be opened, our own standard error is better than nothing.
    if (const int file = to_log ? log.open() : -1; file >= 0)
      ::dup2(file, 2);
    leave_the_parent();
    ::setsid();
    copy_input(log);
  }
  if (pid < 0)
    return {};
  ::fcntl(writing.get(), F_SETFL, O_NONBLOCK);
  return writing;
}

} // namespace

int start_chore(const std::function<int()>& work) {
  auto parent = ::getpid();
  auto pid = ::fork();
  if (pid != 0)
    return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  leave_the_parent();
  ::_exit(::getppid() == parent ? work() : 1);
}

descriptor start_log_copier(const bounded_log& log) {
  return start_copier(log, true);
}

void detach_log(const bounded_log& log) {
  const auto writing = start_copier(log, false);
  if (!writing)
    return;
  ::dup2(writing.get(), 2);
  ::dup2(writing.get(), 1);
}

} // namespace novacron
