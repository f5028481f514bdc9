#include "runtime/demo/child_process.hpp"

#include "runtime/errors.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace novacron {

namespace {

constexpr int cannot_execute = 127;

/// In the child: system calls only.
[[noreturn]] void become(const char* program, char* const* arguments, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent)
    ::_exit(cannot_execute);
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0 && ::dup2(nothing, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    ::execv(program, arguments);
  }
  ::_exit(cannot_execute);
}

failure refused(const child_command& command, const std::string& what) {
  return make_failure(runtime_errc::process, "cannot start " + command.program.string() + ": "
                                                 + what + ": " + std::strerror(errno));
}

} // namespace

result<child_process> child_process::start(const child_command& command) {
  descriptor output{
      ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (!output)
    return refused(command, command.output.string());
  auto texts = command.arguments;
  texts.insert(texts.begin(), command.program.string());
  std::vector<char*> arguments;
  for (auto& text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  const auto parent = ::getpid();
  child_process child;
  child.pid_ = ::fork();
  if (child.pid_ == 0)
    become(texts.front().c_str(), arguments.data(), output.get(), parent);
  if (child.pid_ < 0)
    return refused(command, "no process can be had");
  child.handle_ = descriptor{static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0))};
  if (!child.handle_) {
    ::kill(child.pid_, SIGKILL); // our own child, not reaped: the number is still its
    ::waitpid(child.pid_, nullptr, 0);
    return refused(command, "no pid descriptor");
  }
  return child;
}

child_process::~child_process() {
  if (!handle_)
    return;
  signal(SIGKILL);
  wait(std::chrono::seconds{5});
}

void child_process::signal(int number) const {
  if (handle_)
    ::syscall(SYS_pidfd_send_signal, handle_.get(), number, nullptr, 0U);
}

bool child_process::wait(std::chrono::milliseconds limit) {
  if (!handle_)
    return true;
  pollfd ended{handle_.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(limit.count())) <= 0)
    return false;
  siginfo_t how{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED);
  ending_ = how.si_code == CLD_EXITED ? "status " + std::to_string(how.si_status)
                                      : "signal " + std::to_string(how.si_status);
  handle_ = {};
  return true;
}

} // namespace novacron
