#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace novacron {

/// How a wait ended.
enum class wait_end : uint8_t {
  reached,
  expired, ///< its deadline passed first
  refused, ///< too many wait already
};

/// Those who wait for the view to show something. Safe from any thread.
///
/// Each function is called exactly once, without a lock held, on the thread
/// that ends the wait: it must be short and must not throw.
class view_waiters {
public:
  using clock = std::chrono::steady_clock;
  using function = std::function<void(wait_end)>;
  using ticket = uint64_t;

  explicit view_waiters(size_t limit) : limit_{limit} {
    // nop
  }

  /// Waits for `reached` with this revision or a later one.
  void when_revision(uint64_t revision, clock::time_point deadline, function fn);
  /// Waits for `ended` with this operation; 0: it was refused, and told so.
  ticket when_operation(operation_id operation, clock::time_point deadline, function fn);

  void reached(uint64_t revision);
  void ended(operation_id operation);
  /// Ends one wait as reached, unless it ended already.
  void release(ticket which);
  void expire(clock::time_point now);

  [[nodiscard]] size_t size() const;

private:
  struct waiter {
    uint64_t revision = 0; ///< 0: for an operation
    operation_id operation;
    clock::time_point deadline;
    function fn;
  };

  /// 0: too many wait already.
  ticket add(waiter x);
  /// Takes a waiter out of every index; the caller holds the lock.
  std::optional<function> take(ticket which);

  mutable std::mutex mutex_;
  size_t limit_;
  uint64_t revision_ = 0;
  ticket last_ = 0;
  std::map<ticket, waiter> all_;
  std::multimap<uint64_t, ticket> by_revision_;
  std::multimap<operation_id, ticket> by_operation_;
  std::multimap<clock::time_point, ticket> by_deadline_;
};

} // namespace novacron
