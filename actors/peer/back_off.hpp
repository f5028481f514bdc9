#pragma once

#include <algorithm>
#include <chrono>

namespace novacron {

/// How long to wait before trying again: doubles from attempt to attempt up to
/// a bound, and is shortened by chance, so that many who lost the same node
/// don't come back at once. Pure.
class back_off {
public:
  using duration = std::chrono::milliseconds;

  back_off(duration first, duration longest) : first_{first}, longest_{longest}, next_{first} {
    // nop
  }

  /// `chance` from [0, 1): the wait is between a half and the whole of it.
  duration next(double chance) {
    auto whole = next_;
    next_ = std::min(next_ * 2, longest_);
    return whole
           - duration{static_cast<duration::rep>(static_cast<double>(whole.count()) / 2 * chance)};
  }

  void succeeded() { next_ = first_; }

private:
  duration first_;
  duration longest_;
  duration next_;
};

} // namespace novacron
