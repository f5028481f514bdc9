#pragma once

#include "messages/local.hpp"

#include <chrono>
#include <optional>

namespace novacron {

/// Notices that the group can't keep a leader.
///
/// The problem: where a round trip between controllers takes longer than the
/// election timeout, each leader gives up before it is answered, and nothing is
/// ever committed. From inside it looks like a row of elections; an operator must
/// be told what it is. So must one of a majority that is gone.
///
/// Pure.
class election_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What is known now. True, once a minute at most: for twenty seconds no leader
  /// has lasted for five.
  bool look(const leadership& now, time_point at) {
    if (now.leads.nil() || now.leads != last_.leads || now.term != last_.term)
      since_ = at;
    last_ = now;
    if (!fine_ || (!now.leads.nil() && at - since_ >= lasting))
      fine_ = at;
    if (at - *fine_ < patience || (said_ && at - *said_ < pause))
      return false;
    said_ = at;
    return true;
  }

private:
  static constexpr std::chrono::seconds lasting{5};
  static constexpr std::chrono::seconds patience{20};
  static constexpr std::chrono::seconds pause{60};

  leadership last_;
  time_point since_;               ///< when this leader was first seen
  std::optional<time_point> fine_; ///< when a leader had lasted, last
  std::optional<time_point> said_;
};

} // namespace novacron
