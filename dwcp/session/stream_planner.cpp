#include "dwcp/session/stream_planner.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

/// Packets that travel without a queue before them take no longer than this.
bool no_queue(const path_figures& path) {
  using namespace std::chrono_literals;
  return path.round_trip <= path.least_round_trip + path.least_round_trip / 4 + 2ms;
}

} // namespace

stream_planner::stream_planner(unsigned streams, unsigned most, bool has_other_control,
                               time_point now)
    : plan_{streams, false}, before_plan_{plan_}, most_{std::max(streams, most)},
      has_other_control_{has_other_control}, since_{now} {
  // nop
}

void stream_planner::note(bool link_waited) {
  ++notes_;
  waits_ += link_waited ? 1 : 0;
}

bool stream_planner::due(time_point now) const {
  return now - since_ >= interval && notes_ > 0;
}

stream_plan stream_planner::choose(const link_figures& so_far, time_point now) {
  if (!due(now))
    return plan_;
  end_interval(so_far, now);
  if (!waited_)
    return plan_;
  switch (course_) {
  case course::looking:
    before_rate_ = rate_;
    if (lossy_)
      try_next();
    break;
  case course::turning:
    course_ = course::judging;
    break;
  case course::judging:
    judge();
    break;
  case course::settled:
    if (rate_ < before_rate_ / 2 || rate_ > before_rate_ * 2)
      course_ = course::looking;
    break;
  }
  return plan_;
}

void stream_planner::stop_at(unsigned streams) {
  plan_.streams = most_ = streams;
}

void stream_planner::no_other_control() {
  plan_.other_control = has_other_control_ = false;
  course_ = course::looking;
}

/// Measures, and begins the next one.
void stream_planner::end_interval(const link_figures& so_far, time_point now) {
  const std::chrono::duration<double> passed = now - since_;
  rate_ = static_cast<double>(so_far.carried - seen_.carried) / passed.count();
  waited_ = 2 * waits_ >= notes_;
  const auto& path = so_far.path;
  const bool same_ones
      = path.segments >= seen_.path.segments && path.repeated >= seen_.path.repeated;
  const auto repeated = path.repeated - seen_.path.repeated;
  lossy_ = same_ones && repeated > 0
           && repeated * lossy_one_in >= path.segments - seen_.path.segments && no_queue(path);
  since_ = now;
  seen_ = so_far;
  notes_ = waits_ = 0;
}

void stream_planner::try_next() {
  before_plan_ = plan_;
  if (std::exchange(has_other_control_, false))
    plan_.other_control = true;
  else
    plan_.streams = std::min(2 * plan_.streams, most_);
  course_ = plan_ != before_plan_ ? course::turning : course::settled;
}

void stream_planner::judge() {
  const bool helped = rate_ >= before_rate_ * worthwhile;
  const bool more_streams = plan_.streams != before_plan_.streams;
  if (!helped)
    plan_ = before_plan_;
  before_rate_ = std::max(rate_, before_rate_);
  if (helped == more_streams) // more of what helps, or something else than what didn't
    try_next();
  else
    course_ = course::settled;
}

} // namespace novacron
