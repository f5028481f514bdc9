#include "hypervisor/fencer/fencer_spawn.hpp"

#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/bounded_log.hpp"
#include "hypervisor/fencer/fencer_arguments.hpp"
#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "hypervisor/fencer/state_folder.hpp"
#include "messages/descriptor.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace novacron {

namespace {

/// In the grandchild: system calls only.
[[noreturn]] void become_fencer(char* const* arguments, const bounded_log& log) {
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
    constexpr char why[] = "can't execute the fencer's program\n";
    [[maybe_unused]] auto told = ::write(2, why, sizeof why - 1);
  }
  ::_exit(127);
}

} // namespace

result<pid_handle> spawn_fencer(const fencer_config& config, const std::filesystem::path& program) {
  auto layout = lay_out_libvirtd(config);
  auto absolute = config;
  absolute.state = layout.state;
  auto texts = fencer_arguments(absolute);
  texts.insert(texts.begin(), std::filesystem::absolute(program).native());
  std::vector<char*> arguments;
  for (auto& text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  if (auto claimed = claim_state_folder(layout.state); !claimed)
    return claimed.error();
  bounded_log log{layout.state / "fencer.log"};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return make_failure(hypervisor_errc::refused, std::string{"can't start a fencer: "}
                                                      + std::strerror(errno)
                                                      + "; close other files");
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  // Twice: the one between ends at once, and so the fencer isn't our child.
  auto between = ::fork();
  if (between == 0) {
    ::setsid();
    auto fencer = ::fork();
    if (fencer == 0)
      become_fencer(arguments.data(), log);
    auto told = ::write(writing.get(), &fencer, sizeof fencer);
    ::_exit(told == sizeof fencer ? 0 : 1);
  }
  writing = {};
  pid_t fencer = -1;
  auto heard = ::read(reading.get(), &fencer, sizeof fencer);
  if (between > 0)
    ::waitpid(between, nullptr, 0);
  if (between < 0 || heard != sizeof fencer || fencer < 0)
    return make_failure(hypervisor_errc::refused,
                        "can't start a fencer: no process can be had; end other processes");
  return pid_handle::open(fencer);
}

std::string last_fencer_line(const std::filesystem::path& state) {
  std::ifstream log{state / "fencer.log"};
  std::string line;
  std::string last = "it said nothing in " + (state / "fencer.log").native();
  while (std::getline(log, line))
    last = line;
  return last;
}

} // namespace novacron
