#include "actors/blocking/operator_command.hpp"

#include "actors/blocking/blocking_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace novacron {

namespace {

using clock = std::chrono::steady_clock;

constexpr int cannot_execute = 127;
constexpr size_t longest_word = 200;

/// In the child: system calls only.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(cannot_execute);
  for (int number = 1; number < NSIG; ++number)
    ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0 && ::dup2(nothing, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2
      && ::chdir("/") == 0) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    ::execv(arguments[0], arguments);
    constexpr char why[] = "it can't be executed";
    [[maybe_unused]] auto told = ::write(2, why, sizeof why - 1);
  }
  ::_exit(cannot_execute);
}

/// A program that runs, and what it says.
struct running {
  pid_t pid = -1;
  descriptor handle; ///< of the process
  descriptor output;
  std::string said;

  /// Takes some of what there is now, as read(2) does.
  ssize_t take() {
    char buffer[4096];
    const auto n = ::read(output.get(), buffer, sizeof buffer);
    if (n > 0)
      said.append(buffer, static_cast<size_t>(n));
    if (said.size() > sizeof buffer)
      said.erase(0, said.size() - sizeof buffer);
    return n;
  }

  /// Kills all of its session, also before it has made one.
  void kill() const {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
  }
};

bool start(running& run, const std::vector<std::string>& words) {
  auto texts = words;
  std::vector<char*> arguments;
  for (auto& text : texts)
    arguments.push_back(text.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return false;
  run.output = descriptor{ends[0]};
  const descriptor writing{ends[1]};
  ::fcntl(run.output.get(), F_SETFL, O_NONBLOCK);
  const auto parent = ::getpid();
  run.pid = ::fork();
  if (run.pid == 0)
    become(arguments.data(), writing.get(), parent);
  if (run.pid < 0)
    return false;
  run.handle = descriptor{static_cast<int>(::syscall(SYS_pidfd_open, run.pid, 0))};
  if (run.handle)
    return true;
  run.kill(); // our own child, not reaped: the number is still its
  ::waitpid(run.pid, nullptr, 0);
  return false;
}

/// The last line, made fit for a log.
std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  text.resize(std::min(text.size(), longest_word));
  for (auto& each : text)
    if (static_cast<unsigned char>(each) < ' ')
      each = ' ';
  return text;
}

/// Until its end, which is not reaped yet. Why it was ended by us; empty: by itself.
std::string wait(running& run, clock::time_point deadline, std::chrono::milliseconds limit,
                 const command_stop& stop) {
  std::string why;
  pollfd polled[]
      = {{run.handle.get(), POLLIN, 0}, {run.output.get(), POLLIN, 0}, {stop.fd(), POLLIN, 0}};
  auto end = [&](std::string reason) {
    run.kill();
    why = std::move(reason);
    polled[2].fd = -1;
  };
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    const auto patience = why.empty() ? static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)) : -1;
    ::poll(polled, std::size(polled), patience);
    if (polled[1].revents != 0 && run.take() == 0)
      polled[1].fd = -1;
    if (polled[0].revents != 0)
      return why;
    if (!why.empty())
      continue;
    if (polled[2].revents != 0)
      end("it was ended: it isn't needed any more");
    else if (clock::now() >= deadline)
      end("it was killed after " + std::to_string(limit.count()) + " ms");
  }
}

} // namespace

command_stop::command_stop() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  // nop
}

void command_stop::request() const {
  const uint64_t one = 1;
  [[maybe_unused]] auto told = ::write(event_.get(), &one, sizeof one);
}

command_end run_operator_command(const std::vector<std::string>& words,
                                 std::chrono::milliseconds limit, const command_stop& stop) {
  running run;
  const auto deadline = clock::now() + limit;
  if (!start(run, words))
    return {false, std::string{"no process can be had: "} + std::strerror(errno)};
  const auto why = wait(run, deadline, limit, stop);
  run.kill(); // what it has left behind; it isn't reaped, so the number is still its
  while (run.take() > 0)
    continue;
  siginfo_t how{};
  ::waitid(P_PID, static_cast<id_t>(run.pid), &how, WEXITED);
  if (!why.empty())
    return {false, why};
  if (how.si_code == CLD_EXITED && how.si_status == 0)
    return {true, {}};
  const auto line = last_line(run.said);
  return {false, (how.si_code == CLD_EXITED ? "status " : "signal ") + std::to_string(how.si_status)
                     + (line.empty() ? "" : ": " + line)};
}

command_runner make_command_runner(std::vector<std::string> command,
                                   std::chrono::milliseconds limit) {
  auto pool = std::make_shared<blocking_pool>(1); // which keeps threads for long calls beside it
  return [pool, command = std::move(command), limit](const std::vector<std::string>& more,
                                                     std::shared_ptr<command_stop> stop,
                                                     const std::function<void(command_end)>& done) {
    auto words = command;
    words.insert(words.end(), more.begin(), more.end());
    if (!pool->run_long(
            [words, limit, stop, done] { done(run_operator_command(words, limit, *stop)); }))
      done({false, "no thread can be had for it"});
  };
}

} // namespace novacron
