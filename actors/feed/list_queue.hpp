#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace novacron {

struct list_limits {
  size_t reading = 4;                        ///< pages at a time
  size_t waiting = 1'024;                    ///< more are refused
  std::chrono::milliseconds patience{2'500}; ///< shorter than readers'; then refused
};

/// Names one page that is asked for; the actor knows whose it is.
using list_ticket = uint64_t;

/// Lets few pages be read at a time; the others wait in their order.
///
/// The problem: when a cluster begins, or a replica has got a snapshot, all its
/// readers list at once. Each page keeps the replica's actor for a while, and
/// proposals would wait behind all of them.
///
/// Pure.
class list_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class turn : uint8_t { now, later, never };

  explicit list_queue(list_limits limits = {}) : limits_{limits} {
    // nop
  }

  /// `now`: read it, then say `ended`. `never`: too many wait.
  turn asked(list_ticket ticket, time_point now);
  /// A page that was read has its answer, whatever that is: whose turn is it?
  std::optional<list_ticket> ended();
  /// Those that have waited too long.
  std::vector<list_ticket> tick(time_point now);

private:
  struct waiting_page {
    list_ticket ticket = 0;
    time_point since;
  };

  list_limits limits_;
  size_t reading_ = 0;
  std::deque<waiting_page> waiting_;
};

} // namespace novacron
