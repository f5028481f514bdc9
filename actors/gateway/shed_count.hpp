#pragma once

#include <atomic>
#include <cstdint>

namespace novacron {

/// How many requests and connections a node's gateway has sent away because it was full, since the
/// process began: goes on counting when the gateway's actor is restarted. Not those of strangers,
/// whom one more gateway would not make welcome. Safe from any thread.
class shed_count {
public:
  void add() { total_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t total() const { return total_.load(std::memory_order_relaxed); }

private:
  std::atomic<uint64_t> total_ = 0;
};

} // namespace novacron
