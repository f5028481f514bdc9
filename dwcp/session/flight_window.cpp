#include "dwcp/session/flight_window.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr double weight_of_news = 1.0 / 8;

} // namespace

void flight_window::sent(time_point now) {
  if (under_way_.empty())
    busy_since_ = now;
  under_way_.push_back(now);
}

void flight_window::acknowledged(size_t batches, time_point now) {
  batches = std::min(batches, under_way_.size());
  if (batches == 0)
    return;
  std::chrono::duration<double> delay = now - under_way_[batches - 1];
  std::chrono::duration<double> interval = (now - busy_since_) / static_cast<double>(batches);
  under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<std::ptrdiff_t>(batches));
  busy_since_ = now;
  delay_ = delay_.count() == 0 ? delay : delay_ + weight_of_news * (delay - delay_);
  least_delay_ = least_delay_.count() == 0 ? delay : std::min(least_delay_, delay);
  interval_
      = interval_.count() == 0 ? interval : interval_ + weight_of_news * (interval - interval_);
}

size_t flight_window::frames() const {
  if (interval_.count() <= 0)
    return least;
  auto fit = (queue_time + least_delay_) / interval_;
  return std::max(least, static_cast<size_t>(std::min(fit, 1e6)));
}

std::optional<std::chrono::steady_clock::duration> flight_window::longest_flight() const {
  if (least_delay_.count() <= 0)
    return std::nullopt;
  return std::chrono::ceil<std::chrono::steady_clock::duration>(
      std::max<std::chrono::duration<double>>(queue_time + 2 * least_delay_, 2 * delay_));
}

} // namespace novacron
