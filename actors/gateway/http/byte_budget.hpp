#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace novacron {

/// How many bytes all connections of a gateway may hold of one kind. Safe from
/// any thread.
class byte_budget {
public:
  explicit byte_budget(size_t most) : most_{most} {
    // nop
  }

  /// False: they don't fit beside what is held already, and nothing was taken.
  [[nodiscard]] bool take(size_t bytes) {
    if (held_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_)
      return true;
    give_back(bytes);
    return false;
  }
  void give_back(size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] size_t held() const { return held_.load(std::memory_order_relaxed); }

private:
  size_t most_;
  std::atomic<size_t> held_ = 0;
};

/// What one of them holds; given back with it. Keep the budget longer.
class byte_share {
public:
  explicit byte_share(byte_budget& budget) : budget_{&budget} {
    // nop
  }
  byte_share(byte_share&& other) noexcept
      : budget_{other.budget_}, bytes_{std::exchange(other.bytes_, 0)} {
    // nop
  }
  byte_share& operator=(byte_share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~byte_share() { release(); }

  /// Holds so many from now on, if that is more; false: they don't fit, and it
  /// holds what it held.
  [[nodiscard]] bool grow_to(size_t bytes) {
    if (bytes <= bytes_)
      return true;
    if (!budget_->take(bytes - bytes_))
      return false;
    bytes_ = bytes;
    return true;
  }
  void release() {
    if (auto bytes = std::exchange(bytes_, 0); bytes > 0)
      budget_->give_back(bytes);
  }

private:
  byte_budget* budget_;
  size_t bytes_ = 0;
};

} // namespace novacron
