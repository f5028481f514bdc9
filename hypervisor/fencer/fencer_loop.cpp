#include "hypervisor/fencer/fencer_loop.hpp"

#include "hypervisor/fencer/chore.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace novacron {

using namespace std::chrono_literals;

namespace {

constexpr auto round_period = 100ms;

descriptor receive_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGCHLD, SIGTERM, SIGINT})
    sigaddset(&wanted, number);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  return descriptor{::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
}

} // namespace

fencer_loop::fencer_loop(const fencer_config& config, const libvirtd_process& libvirtd,
                         deadline_file file)
    : config_{config}, file_{std::move(file)}, deadline_{file_.read()}, killer_{config.host},
      keeper_{libvirtd} {}

bool fencer_loop::fenced() const {
  return deadline_.passed(boot_time());
}

bool fencer_loop::all_dead() const {
  return announced_ && !killer_.missed_some() && killer_.dying() == 0;
}

bool fencer_loop::over() const {
  if (!keeper_.stopped())
    return false;
  return !watchdog_ || !fenced() || all_dead() || boot_time() >= *deadline_.get() + lease_kill_time;
}

fencer_status fencer_loop::status() const {
  return {deadline_.get(),
          fenced(),
          killer_.killed(),
          killer_.dying(),
          keeper_.pid(),
          ::getpid(),
          watchdog_ ? watchdog_->timeout() : std::chrono::seconds{0}};
}

void fencer_loop::enforce() {
  killer_.confirm();
  auto now = boot_time();
  if (!fenced()) {
    if (announced_)
      std::fprintf(stderr, "the deadline was moved; guests may run again\n");
    announced_ = false;
    next_round_ = {};
    return;
  }
  if (now < next_round_)
    return;
  auto met = killer_.kill();
  next_round_ = now + round_period;
  if (!announced_)
    std::fprintf(stderr, "the deadline has passed; killing this host's ha guests\n");
  announced_ = true;
  for (const auto& x : met)
    std::fprintf(stderr, "killed guest %s, process %d\n", to_string(x.mark).c_str(), x.pid);
}

int fencer_loop::run(descriptor listener) {
  control_server server{std::move(listener)};
  auto signals = receive_signals();
  descriptor timer{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  if (!signals || !timer) {
    std::fprintf(stderr, "can't wait for signals or time: %s\n", std::strerror(errno));
    return 1;
  }
  while (!over()) {
    enforce();
    keeper_.tick(boot_time());
    set_timer(timer);
    std::vector<pollfd> polled{{signals.get(), POLLIN, 0}, {timer.get(), POLLIN, 0}};
    server.add_to(polled);
    ::poll(polled.data(), polled.size(), -1);
    enforce();
    if (watchdog_)
      watchdog_->tick(boot_time(), deadline_.get(), all_dead());
    take_signals(server, signals);
    server.serve([&](client from, const control_request& x) { handle(server, from, x); });
  }
  if (watchdog_)
    watchdog_->end(!fenced() || all_dead());
  std::fprintf(stderr, "stopped; guests run on, unfenced\n");
  for (auto who : waiting_for_stop_)
    server.answer(who, encode(status()));
  return 0;
}

void fencer_loop::handle(control_server& server, client from, const control_request& request) {
  if (const auto* x = std::get_if<deadline_order>(&request)) {
    move_deadline(server, from, x->deadline);
  } else if (std::holds_alternative<stop_order>(request)) {
    waiting_for_stop_.push_back(from);
    keeper_.stop(boot_time());
  } else {
    server.answer(from, encode(status()));
  }
}

void fencer_loop::move_deadline(control_server& server, client from,
                                std::chrono::nanoseconds deadline) {
  const bool write = deadline_.order(deadline);
  enforce();
  if (!write) {
    server.answer(from, encode_control_error("an earlier deadline is still being written; look at "
                                             "the disk of "
                                             + config_.state.native()));
    return;
  }
  auto chore = start_chore([&] { return file_.write(deadline) ? 0 : errno; });
  if (chore > 0) {
    pending_ = {chore, from};
    return;
  }
  deadline_.written(false);
  server.answer(from, encode_control_error("can't fork to write the deadline; end other "
                                           "processes"));
}

void fencer_loop::written(control_server& server, int wait_status) {
  auto done = *std::exchange(pending_, std::nullopt);
  deadline_.written(wait_status == 0);
  if (wait_status == 0) {
    enforce();
    server.answer(done.from, encode(status()));
    return;
  }
  const auto* why
      = WIFEXITED(wait_status) ? std::strerror(WEXITSTATUS(wait_status)) : "it was killed";
  server.answer(done.from,
                encode_control_error("can't write the deadline to " + config_.state.native() + ": "
                                     + why + "; mend the disk, or guests will be fenced"));
}

void fencer_loop::take_signals(control_server& server, const descriptor& signals) {
  signalfd_siginfo info{};
  while (::read(signals.get(), &info, sizeof info) == sizeof info)
    if (info.ssi_signo != SIGCHLD)
      keeper_.stop(boot_time());
  reap(server);
}

void fencer_loop::reap(control_server& server) {
  int status = 0;
  while (true) {
    auto pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0)
      return;
    // All others are orphans: QEMU processes, mostly.
    if (!keeper_.died(pid, status, boot_time()) && pending_ && pid == pending_->chore)
      written(server, status);
  }
}

void fencer_loop::set_timer(const descriptor& timer) const {
  std::optional<std::chrono::nanoseconds> due = keeper_.next();
  auto also = [&](std::chrono::nanoseconds when) { due = due ? std::min(*due, when) : when; };
  if (const auto& deadline = deadline_.get())
    also(fenced() ? next_round_ : *deadline);
  if (killer_.dying() > 0)
    also(boot_time() + round_period);
  if (watchdog_)
    also(watchdog_->next());
  itimerspec when{};
  if (due) {
    // All zero would switch the timer off.
    auto at = std::max(*due, std::chrono::nanoseconds{1});
    when.it_value.tv_sec = at / 1s;
    when.it_value.tv_nsec = (at % 1s).count();
  }
  ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

} // namespace novacron
