#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace novacron::sim {

/// Virtual time, in milliseconds, and what is to happen when. What is due at the
/// same time happens in the order in which it was asked for.
class scheduler {
public:
  [[nodiscard]] uint64_t now() const { return now_; }

  void after(uint64_t delay_ms, std::function<void()> call) {
    due_.emplace(std::pair{now_ + delay_ms, next_++}, std::move(call));
  }

  /// Lets the next thing happen, if it is due by `until`; else time is `until`.
  bool step(uint64_t until) {
    auto first = due_.begin();
    if (first == due_.end() || first->first.first > until) {
      now_ = until;
      return false;
    }
    now_ = first->first.first;
    auto call = std::move(first->second);
    due_.erase(first);
    call();
    return true;
  }

  /// When the next thing is due; nothing: never.
  [[nodiscard]] std::optional<uint64_t> next() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first.first};
  }

private:
  uint64_t now_ = 1;
  uint64_t next_ = 0;
  std::map<std::pair<uint64_t, uint64_t>, std::function<void()>> due_;
};

} // namespace novacron::sim
