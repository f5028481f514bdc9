#pragma once

#include <cstddef>

namespace novacron {

/// Which of the controllers a node without a replica of its own uses.
///
/// The problem: a controller may be down, or live in a minority, which answers
/// reads for ever but from the past, and takes no writes. So one is left when it
/// fails, and when it has said twice in a row that nobody leads.
///
/// Pure.
class controller_choice {
public:
  /// `count` of them, at least one; begins with `first`, taken modulo `count`.
  controller_choice(size_t count, size_t first) : count_{count}, present_{first % count} {
    // nop
  }

  [[nodiscard]] size_t present() const { return present_; }
  [[nodiscard]] size_t count() const { return count_; }

  /// There are so many now: more than before.
  void grow(size_t count) { count_ = count; }

  /// This one did not answer, or could not serve. Another one is used from now
  /// on, unless that was so before.
  void failed(size_t which) {
    if (which != present_)
      return;
    present_ = (present_ + 1) % count_;
    without_leader_ = 0;
  }

  /// It said whether it knows a leader.
  void probed(size_t which, bool knows_leader) {
    if (which != present_)
      return;
    without_leader_ = knows_leader ? 0 : without_leader_ + 1;
    if (without_leader_ >= most_without_leader)
      failed(which);
  }

private:
  static constexpr unsigned most_without_leader = 2;

  size_t count_;
  size_t present_;
  unsigned without_leader_ = 0; ///< probes, one after the other
};

} // namespace novacron
