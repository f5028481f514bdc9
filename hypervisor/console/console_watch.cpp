#include "hypervisor/console/console_watch.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace novacron {

namespace {

constexpr auto poll_interval = std::chrono::milliseconds{2};
constexpr size_t longest_line = 4096; ///< a console without line ends must not fill our memory

} // namespace

console_watch::console_watch(std::vector<std::filesystem::path> logs) {
  for (auto& path : logs)
    logs_.push_back({std::move(path), -1});
  thread_ = std::thread{[this] { run(); }};
}

console_watch::~console_watch() {
  stopping_ = true;
  thread_.join();
  for (auto& log : logs_)
    if (log.descriptor >= 0)
      ::close(log.descriptor);
}

tick_summary console_watch::summary() const {
  std::lock_guard guard{mutex_};
  return series_.summary();
}

std::chrono::nanoseconds console_watch::largest_gap(time_point from, time_point to) const {
  std::lock_guard guard{mutex_};
  return series_.largest_gap(from, to);
}

bool console_watch::wait_until(const std::function<bool(const tick_summary&)>& condition,
                               std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, limit, [&] { return condition(series_.summary()); });
}

bool console_watch::wait_for_ticks(uint64_t count, std::chrono::milliseconds limit) {
  auto wanted = summary().ticks + count;
  return wait_until([=](const tick_summary& x) { return x.ticks >= wanted; }, limit);
}

void console_watch::run() {
  while (!stopping_) {
    bool more = false;
    for (auto& log : logs_)
      more |= &log == &logs_[active_] ? drain(log) : follow_change(log);
    if (!more)
      std::this_thread::sleep_for(poll_interval);
  }
}

std::string console_watch::read_more(log_file& log) {
  if (log.descriptor < 0)
    log.descriptor = ::open(log.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (log.descriptor < 0)
    return {};
  char bytes[4096];
  auto count = ::read(log.descriptor, bytes, sizeof bytes);
  return {bytes, static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

bool console_watch::drain(log_file& log) {
  bool any = false;
  for (auto bytes = read_more(log); !bytes.empty() && !stopping_; bytes = read_more(log)) {
    take_bytes(bytes);
    any = true;
  }
  return any;
}

/// We may have slept since we read the active log: what was written there before the change
/// comes first.
bool console_watch::follow_change(log_file& log) {
  auto bytes = read_more(log);
  if (bytes.empty())
    return false;
  drain(logs_[active_]);
  take_bytes(bytes);
  active_ = static_cast<size_t>(&log - logs_.data());
  return true;
}

void console_watch::take_bytes(std::string_view bytes) {
  auto at = std::chrono::steady_clock::now();
  std::lock_guard guard{mutex_};
  for (char c : bytes) {
    bool ends = c == '\n';
    if (ends || line_.size() >= longest_line) {
      series_.add_line(line_, at);
      line_.clear();
    }
    if (!ends)
      line_ += c;
  }
  changed_.notify_all();
}

} // namespace novacron
