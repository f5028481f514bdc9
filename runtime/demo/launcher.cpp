#include "runtime/demo/launcher.hpp"

#include <csignal>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds look_every{20};
constexpr std::chrono::milliseconds no_time{0};
constexpr auto cannot_start = "status 2"; ///< restarting wouldn't help

} // namespace

launcher::~launcher() {
  stop_all(std::chrono::seconds{5});
}

void launcher::start(const std::string& name, child_command command) {
  std::lock_guard lock{mutex_};
  nodes_.push_back({name, std::move(command), {}, {}, false});
  auto& added = nodes_.back(); // a deque's elements stay where they are
  watchers_.emplace_back([this, &added] { watch(added); });
}

void launcher::watch(node& watched) {
  std::unique_lock lock{mutex_};
  bool alive = !stopping_ && spawn(watched);
  while (alive && !stopping_) {
    if (!watched.process.wait(no_time)) {
      stopping_changed_.wait_for(lock, look_every);
      continue;
    }
    alive = may_restart(watched)
            && !stopping_changed_.wait_for(lock, restart_delay, [this] { return stopping_; })
            && spawn(watched);
  }
  if (alive)
    end(watched, lock);
}

bool launcher::spawn(node& watched) {
  auto process = child_process::start(watched.command);
  if (process)
    watched.process = std::move(*process);
  else
    given_up_ = process.error().message;
  return process.has_value();
}

bool launcher::may_restart(node& watched) {
  const auto now = std::chrono::steady_clock::now();
  watched.deaths.push_back(now);
  while (watched.deaths.front() < now - restart_period)
    watched.deaths.pop_front();
  const auto ending = watched.process.ending();
  if (ending != cannot_start && watched.deaths.size() <= restart_limit)
    return true;
  given_up_ = watched.name + " ended with " + ending + (ending == cannot_start ? "" : ", too often")
              + "; see " + watched.command.output.string();
  return false;
}

void launcher::end(node& watched, std::unique_lock<std::mutex>& lock) const {
  watched.process.signal(SIGTERM);
  while (!watched.process.wait(no_time)) {
    if (std::chrono::steady_clock::now() > kill_at_ && !std::exchange(watched.killed, true))
      watched.process.signal(SIGKILL);
    lock.unlock();
    std::this_thread::sleep_for(look_every);
    lock.lock();
  }
}

pid_t launcher::kill(const std::string& name) {
  std::lock_guard lock{mutex_};
  for (auto& each : nodes_)
    if (each.name == name && each.process.ending().empty()) {
      each.process.signal(SIGKILL);
      return each.process.pid();
    }
  return 0;
}

pid_t launcher::pid(const std::string& name) const {
  std::lock_guard lock{mutex_};
  for (const auto& each : nodes_)
    if (each.name == name && each.process.ending().empty())
      return each.process.pid();
  return 0;
}

std::string launcher::given_up() const {
  std::lock_guard lock{mutex_};
  return given_up_;
}

std::vector<std::string> launcher::stop_all(std::chrono::milliseconds limit) {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    kill_at_ = std::chrono::steady_clock::now() + limit;
  }
  stopping_changed_.notify_all();
  for (auto& watcher : watchers_)
    watcher.join();
  watchers_.clear();
  std::vector<std::string> killed;
  for (const auto& each : nodes_)
    if (each.killed)
      killed.push_back(each.name);
  nodes_.clear();
  return killed;
}

} // namespace novacron
