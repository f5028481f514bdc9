#include "actors/peer/controller_choice.hpp"

namespace novacron {

namespace {

constexpr auto shun_time = std::chrono::seconds{2};
constexpr unsigned most_without_leader = 2;

} // namespace

void controller_choice::failed(size_t which, time_point now) {
  if (which != present_)
    return;
  known_[which].shunned_until = now + shun_time;
  choose(false, now);
}

void controller_choice::probed(size_t which, bool knows_leader, time_point now) {
  if (which != present_)
    return;
  without_leader_ = knows_leader ? 0 : without_leader_ + 1;
  if (without_leader_ >= most_without_leader)
    failed(which, now);
}

void controller_choice::graded(const std::vector<controller_grade>& grades, time_point now) {
  for (size_t i = 0; i < known_.size() && i < grades.size(); ++i)
    known_[i].grade = grades[i];
  choose(true, now);
}

/// The smaller the better.
int controller_choice::rank(size_t which, time_point now) const {
  const auto& one = known_[which];
  if (now < one.shunned_until)
    return 3;
  if (one.grade == controller_grade::behind)
    return 2;
  return one.grade == controller_grade::follower ? 0 : 1;
}

void controller_choice::choose(bool may_stay, time_point now) {
  const auto count = known_.size();
  const auto before = present_;
  auto best = may_stay ? rank(present_, now) : 4;
  for (size_t step = 1; step < count; ++step) {
    const auto which = (before + (backwards_ ? count - step : step)) % count;
    if (const auto its = rank(which, now); its < best) {
      best = its;
      present_ = which;
    }
  }
  if (present_ != before)
    without_leader_ = 0;
}

} // namespace novacron
