#include "dwcp/session/flight_window.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr double weight_of_news = 1.0 / 8;

double smoothed(double before, double news) {
  return before == 0 ? news : before + weight_of_news * (news - before);
}

} // namespace

void flight_window::peak::see(double value, time_point now) {
  if (now - since_ > memory) {
    previous_ = now - since_ > 2 * memory ? 0 : current_;
    current_ = 0;
    since_ = now;
  }
  current_ = std::max(current_, value);
}

double flight_window::peak::value() const {
  return std::max(current_, previous_);
}

void flight_window::sent(time_point now) {
  if (under_way_.empty())
    released_.at = now;
  under_way_.push_back({now, std::nullopt, released_});
  ++unknown_;
}

void flight_window::packed(uint64_t number, size_t bytes) {
  if (number < released_.batches || number - released_.batches >= under_way_.size())
    return;
  auto& its = under_way_[number - released_.batches].bytes;
  if (its)
    return;
  its = bytes;
  known_bytes_ += bytes;
  --unknown_;
  usual_bytes_ = smoothed(usual_bytes_, static_cast<double>(bytes));
}

void flight_window::acknowledged(size_t batches, time_point now) {
  batches = std::min(batches, under_way_.size());
  if (batches == 0)
    return;
  const auto newest = under_way_[batches - 1];
  for (size_t i = 0; i < batches; ++i) {
    const auto bytes = under_way_.front().bytes;
    released_.bytes += bytes.value_or(0);
    known_bytes_ -= bytes.value_or(0);
    unknown_ -= bytes ? 0 : 1;
    under_way_.pop_front();
  }
  released_.batches += batches;
  released_.at = now;
  const std::chrono::duration<double> delay = now - newest.sent;
  delay_ = std::chrono::duration<double>{smoothed(delay_.count(), delay.count())};
  least_delay_ = least_delay_.count() == 0 ? delay : std::min(least_delay_, delay);
  const std::chrono::duration<double> passed = now - newest.before.at;
  if (passed.count() <= 0)
    return;
  batches_per_second_.see(
      static_cast<double>(released_.batches - newest.before.batches) / passed.count(), now);
  bytes_per_second_.see(static_cast<double>(released_.bytes - newest.before.bytes) / passed.count(),
                        now);
}

bool flight_window::full() const {
  return under_way_.size() >= least
         && (under_way_.size() >= frames() || bytes_under_way() >= static_cast<double>(bytes()));
}

size_t flight_window::frames() const {
  return std::max(least, static_cast<size_t>(released_in_time(batches_per_second_)));
}

size_t flight_window::bytes() const {
  return static_cast<size_t>(released_in_time(bytes_per_second_));
}

/// Those that aren't packed yet are taken to be like others.
double flight_window::bytes_under_way() const {
  return static_cast<double>(known_bytes_) + static_cast<double>(unknown_) * usual_bytes_;
}

double flight_window::released_in_time(const peak& rate) const {
  constexpr double enough = 1e12; // of anything
  const std::chrono::duration<double> time = queue_time + least_delay_;
  return std::min(rate.value() * time.count(), enough);
}

std::optional<std::chrono::steady_clock::duration> flight_window::longest_flight() const {
  if (least_delay_.count() <= 0)
    return std::nullopt;
  return std::chrono::ceil<std::chrono::steady_clock::duration>(
      std::max<std::chrono::duration<double>>(queue_time + 2 * least_delay_, 2 * delay_));
}

} // namespace novacron
