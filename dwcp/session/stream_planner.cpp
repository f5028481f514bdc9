#include "dwcp/session/stream_planner.hpp"

#include <algorithm>

namespace novacron {

stream_planner::stream_planner(unsigned streams, unsigned most, time_point now)
    : streams_{streams}, most_{std::max(streams, most)}, since_{now} {
  // nop
}

void stream_planner::note(bool link_waited) {
  ++notes_;
  waits_ += link_waited ? 1 : 0;
}

unsigned stream_planner::choose(uint64_t carried, time_point now) {
  if (!interval_over(carried, now) || !waited_)
    return streams_;
  switch (course_) {
  case course::looking:
    before_ = rate_;
    open_more();
    break;
  case course::opening:
    course_ = course::judging;
    break;
  case course::judging:
    if (rate_ < before_ * worthwhile) {
      course_ = course::settled;
      before_ = rate_;
      break;
    }
    before_ = rate_;
    open_more();
    break;
  case course::settled:
    if (rate_ < before_ / 2 || rate_ > before_ * 2)
      course_ = course::looking;
    break;
  }
  return streams_;
}

void stream_planner::stop_at(unsigned streams) {
  streams_ = most_ = streams;
}

/// Measures, and begins the next one.
bool stream_planner::interval_over(uint64_t carried, time_point now) {
  const auto passed = now - since_;
  if (passed < interval || notes_ == 0)
    return false;
  rate_ = static_cast<double>(carried - carried_) / std::chrono::duration<double>{passed}.count();
  waited_ = 2 * waits_ >= notes_;
  since_ = now;
  carried_ = carried;
  notes_ = waits_ = 0;
  return true;
}

void stream_planner::open_more() {
  const auto wanted = std::min(2 * streams_, most_);
  course_ = wanted > streams_ ? course::opening : course::settled;
  streams_ = wanted;
}

} // namespace novacron
