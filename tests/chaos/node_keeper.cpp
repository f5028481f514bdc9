#include "node_keeper.hpp"

#include <csignal>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr auto look_every = 10ms;
constexpr auto restart_after = 200ms; // as a unit with RestartSec= would
constexpr auto end_limit = 10s;

} // namespace

node_keeper::node_keeper(child_command command) : command_{std::move(command)} {
  thread_ = std::thread{[this] { live(); }};
}

node_keeper::~node_keeper() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void node_keeper::live() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    if (!lives_ && !down_) {
      if (auto child = child_process::start(command_)) {
        process_ = std::move(*child);
        lives_ = true;
      } else {
        endings_.push_back(child.error().message);
      }
    }
    if (lives_ && process_.wait(0ms)) {
      lives_ = false;
      endings_.push_back(process_.ending());
      changed_.wait_for(lock, restart_after, [this] { return stopping_; });
    }
    changed_.wait_for(lock, look_every);
  }
  if (!lives_)
    return;
  process_.signal(SIGCONT);
  process_.signal(SIGTERM);
  if (!process_.wait(end_limit))
    process_.signal(SIGKILL);
  process_.wait(end_limit);
  lives_ = false;
}

pid_t node_keeper::signal(int number) {
  std::lock_guard lock{mutex_};
  if (!lives_)
    return 0;
  process_.signal(number);
  return process_.pid();
}

pid_t node_keeper::pid() const {
  std::lock_guard lock{mutex_};
  return lives_ ? process_.pid() : 0;
}

void node_keeper::hold_down(bool down) {
  std::lock_guard lock{mutex_};
  down_ = down;
}

std::vector<std::string> node_keeper::endings() const {
  std::lock_guard lock{mutex_};
  return endings_;
}

} // namespace novacron::chaos
