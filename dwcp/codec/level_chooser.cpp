#include "dwcp/codec/level_chooser.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// Steps of the ladder, to begin with.
constexpr size_t easiest = 1;
constexpr size_t usual = 2;
/// Of the lanes' time: from here on they are what others wait for.
constexpr double busy = 0.85;
/// A harder level may take so much of it, as far as is known.
constexpr double affordable = 0.6;
/// What a level that was never tried is taken to be, against the one below.
constexpr double untried = 0.5;

} // namespace

level_chooser::level_chooser(unsigned lanes, std::chrono::microseconds round_trip, time_point now)
    : lanes_{lanes}, step_{round_trip < near ? easiest : usual}, since_{now} {
  // nop
}

void level_chooser::note(bool link_waited) {
  ++notes_;
  waits_ += link_waited ? 1 : 0;
}

int level_chooser::choose(const packing_work& so_far, time_point now) {
  const std::chrono::duration<double> passed = now - since_;
  const auto batches = so_far.batches - before_.batches;
  if (passed < wait_ || batches < least_batches)
    return level();
  wait_ = std::min(2 * wait_, interval);
  const auto plan_bytes = static_cast<double>(so_far.plan_bytes - before_.plan_bytes);
  const std::chrono::duration<double> worked = so_far.busy - before_.busy;
  const double load = worked / passed / lanes_;
  const bool link_bound = waits_ * 4 >= notes_ * 3;
  if (step_ > 0 && worked.count() > 0)
    speed_[step_] = plan_bytes / worked.count();
  // The load of the next level, had it been used for what was packed just now.
  if (step_ > 0 && load > busy) {
    --step_;
  } else if (link_bound && step_ + 1 < ladder.size()) {
    const double next = speed_[step_ + 1] > 0 ? speed_[step_ + 1] : untried * speed_[step_];
    if (next > 0 && plan_bytes / next / passed.count() / lanes_ < affordable)
      ++step_;
  }
  before_ = so_far;
  since_ = now;
  notes_ = waits_ = 0;
  return level();
}

} // namespace novacron
