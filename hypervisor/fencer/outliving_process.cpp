#include "hypervisor/fencer/outliving_process.hpp"

#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/bounded_log.hpp"
#include "messages/descriptor.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace novacron {

namespace {

/// In the grandchild: system calls only.
[[noreturn]] void become(char* const* arguments, const bounded_log& log) {
  for (int number = 1; number < NSIG; ++number)
    ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int output = log.open();
  int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output >= 0 && nothing >= 0 && ::dup2(nothing, 0) == 0 && ::dup2(output, 1) == 1
      && ::dup2(output, 2) == 2 && ::chdir("/") == 0) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    ::execv(arguments[0], arguments);
    constexpr char why[] = "can't execute the program\n";
    [[maybe_unused]] auto told = ::write(2, why, sizeof why - 1);
  }
  ::_exit(127);
}

} // namespace

result<pid_handle> start_outliving(std::vector<std::string> texts,
                                   const std::filesystem::path& log_path) {
  std::vector<char*> arguments;
  for (auto& text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  const auto cannot = [&](const std::string& why) {
    return make_failure(hypervisor_errc::refused, "can't start " + texts[0] + ": " + why);
  };
  bounded_log log{log_path};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return cannot(std::string{std::strerror(errno)} + "; close other files");
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  // Twice: the one between ends at once, and so the process isn't our child.
  auto between = ::fork();
  if (between == 0) {
    ::setsid();
    auto started = ::fork();
    if (started == 0)
      become(arguments.data(), log);
    auto told = ::write(writing.get(), &started, sizeof started);
    ::_exit(told == sizeof started ? 0 : 1);
  }
  writing = {};
  pid_t started = -1;
  auto heard = ::read(reading.get(), &started, sizeof started);
  if (between > 0)
    ::waitpid(between, nullptr, 0);
  if (between < 0 || heard != sizeof started || started < 0)
    return cannot("no process can be had; end other processes");
  return pid_handle::open(started);
}

} // namespace novacron
