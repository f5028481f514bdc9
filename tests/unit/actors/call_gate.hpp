#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace novacron {

/// Counts the calls that reach a simulated host, and holds those that a test
/// wants held, before they have any effect. Safe from any thread.
class call_gate {
public:
  /// Holds the `nth` next call of this name; all others pass.
  void hold(const std::string& call, unsigned nth = 1) {
    std::lock_guard lock{mutex_};
    wanted_[call] = nth;
  }
  /// The call that was wanted is being held.
  [[nodiscard]] bool holds(const std::string& call) const {
    std::lock_guard lock{mutex_};
    return held_.contains(call);
  }
  /// Lets all go, and holds no more.
  void release() {
    std::lock_guard lock{mutex_};
    wanted_.clear();
    held_.clear();
    changed_.notify_all();
  }
  [[nodiscard]] unsigned count(const std::string& call) const {
    std::lock_guard lock{mutex_};
    auto found = counts_.find(call);
    return found == counts_.end() ? 0 : found->second;
  }

  /// `simulated_host_config::latency`.
  std::chrono::milliseconds pass(std::string_view name) {
    std::string call{name};
    std::unique_lock lock{mutex_};
    ++counts_[call];
    auto wanted = wanted_.find(call);
    if (wanted != wanted_.end() && --wanted->second == 0) {
      wanted_.erase(wanted);
      held_.insert(call);
      changed_.wait(lock, [&] { return !held_.contains(call); });
    }
    return std::chrono::milliseconds{0};
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, unsigned> counts_;
  std::map<std::string, unsigned> wanted_; ///< and how many calls until then
  std::set<std::string> held_;
};

} // namespace novacron
