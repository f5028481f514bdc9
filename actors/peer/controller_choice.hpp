#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace novacron {

/// What the leader says of a controller, to whoever chooses among them.
enum class controller_grade : uint8_t {
  unknown, ///< nothing, or nobody knows where it is
  follower,
  leader,
  behind, ///< it isn't heard of, or its log is far behind
};

/// Which of the controllers a node without a replica of its own uses.
///
/// The problem: a controller may be down, or live in a minority, which answers
/// reads for ever but from the past, and takes no writes. So one is left when it
/// fails, and when it has said twice in a row that nobody leads. And the leader
/// has more to do than the others: whoever reads and follows goes to a follower
/// that is as far, if there is one, and comes back when there is none any more.
/// One that failed isn't tried again for a while, unless all did.
///
/// Pure.
class controller_choice {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Entries of the log; a follower whose log is further behind isn't followed.
  static constexpr uint64_t most_behind = 1'000;

  /// `count` of them, at least one; begins with `first`, taken modulo `count`. From
  /// one that is left it goes to the next that is as good, or, `backwards`, to the
  /// one before: so those who leave the same one don't all meet again.
  controller_choice(size_t count, size_t first, bool backwards = false)
      : known_(count), present_{first % count}, backwards_{backwards} {
    // nop
  }

  [[nodiscard]] size_t present() const { return present_; }
  [[nodiscard]] size_t count() const { return known_.size(); }

  /// There are so many now: more than before.
  void grow(size_t count) { known_.resize(count); }

  /// This one did not answer, or could not serve. Another one is used from now
  /// on, unless that was so before.
  void failed(size_t which, time_point now);

  /// It said whether it knows a leader.
  void probed(size_t which, bool knows_leader, time_point now);

  /// What the leader says of each, in their order.
  void graded(const std::vector<controller_grade>& grades, time_point now);

private:
  struct controller {
    controller_grade grade = controller_grade::unknown;
    time_point shunned_until{};
  };

  [[nodiscard]] int rank(size_t which, time_point now) const;
  /// The best of all; of equals the present one, if it may stay.
  void choose(bool may_stay, time_point now);

  std::vector<controller> known_;
  size_t present_;
  bool backwards_;
  unsigned without_leader_ = 0; ///< probes, one after the other
};

} // namespace novacron
