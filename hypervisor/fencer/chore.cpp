#include "hypervisor/fencer/chore.hpp"

#include "messages/descriptor.hpp"

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

void detach_log() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return;
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  auto pid = ::fork();
  if (pid == 0) {
    ::dup2(reading.get(), 0);
    leave_the_parent();
    ::setsid();
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(0, buffer, sizeof buffer)) > 0;)
      [[maybe_unused]] auto copied = ::write(2, buffer, static_cast<size_t>(n));
    ::_exit(0);
  }
  if (pid < 0)
    return;
  ::fcntl(writing.get(), F_SETFL, O_NONBLOCK);
  ::dup2(writing.get(), 2);
  ::dup2(writing.get(), 1);
}

} // namespace novacron
