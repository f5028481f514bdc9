#include "hypervisor/fencer/libvirtd_keeper.hpp"

#include "hypervisor/fencer/chore.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace novacron {

using namespace std::chrono_literals;

namespace {

constexpr auto shortest_wait = 100ms;
constexpr auto longest_wait = 10s;
constexpr auto long_life = 30s;
constexpr auto patience = 3s;

} // namespace

void libvirtd_keeper::tick(time now) {
  if (!due_ || now < *due_)
    return;
  due_.reset();
  if (phase_ == phase::waiting)
    end_others(now);
  else if (phase_ == phase::stopping)
    ::kill(pid_, SIGKILL);
}

bool libvirtd_keeper::died(int pid, int status, time now) {
  if (pid_ == 0 || pid != pid_)
    return false;
  pid_ = 0;
  if (phase_ == phase::stopping) {
    phase_ = phase::stopped;
    due_.reset();
  } else if (phase_ == phase::ending && status == 0) {
    start(now);
  } else {
    if (phase_ == phase::running)
      std::fprintf(stderr, "libvirtd %d died (status 0x%x); it is started again\n", pid, status);
    wait(now);
  }
  return true;
}

void libvirtd_keeper::stop(time now) {
  if (phase_ == phase::stopping || phase_ == phase::stopped)
    return;
  // A chore is told to end just as libvirtd is.
  phase_ = pid_ == 0 ? phase::stopped : phase::stopping;
  due_.reset();
  if (pid_ == 0)
    return;
  ::kill(pid_, SIGTERM);
  due_ = now + patience;
}

void libvirtd_keeper::end_others(time now) {
  phase_ = phase::ending;
  pid_ = start_chore([this] {
    auto ended = libvirtd_.end_all(1s);
    if (!ended)
      std::fprintf(stderr, "%s\n", ended.error().message.c_str());
    else if (*ended > 0)
      std::fprintf(stderr, "ended %d libvirtd of an earlier fencer\n", *ended);
    return ended ? 0 : 1;
  });
  if (pid_ < 0)
    wait(now);
}

void libvirtd_keeper::start(time now) {
  auto pid = libvirtd_.start();
  if (!pid) {
    std::fprintf(stderr, "%s\n", pid.error().message.c_str());
    wait(now);
    return;
  }
  phase_ = phase::running;
  pid_ = *pid;
  started_ = now;
  std::fprintf(stderr, "started libvirtd %d\n", pid_);
}

void libvirtd_keeper::wait(time now) {
  if (phase_ == phase::running && now - started_ >= long_life)
    deaths_ = 0;
  phase_ = phase::waiting;
  pid_ = 0;
  due_ = now + std::min<time>(shortest_wait * (1u << std::min(deaths_, 16u)), longest_wait);
  ++deaths_;
}

} // namespace novacron
