#include "actors/migration/convergence.hpp"

#include <algorithm>
#include <cmath>

namespace novacron {

namespace {

constexpr uint64_t clearly_less_percent = 90;

using seconds = std::chrono::duration<double>;

std::string tenths(double value) {
  const auto x = std::llround(value * 10);
  return std::to_string(x / 10) + "." + std::to_string(x % 10);
}

} // namespace

convergence::orders convergence::look(const convergence_sample& seen, time_point now) {
  if (begun_ == time_point{})
    begun_ = now;
  if (seen.round > round_)
    next_round(seen.round, now);
  began_with_ = std::max(began_with_, seen.remaining_bytes);
  orders out;
  out.pause_limit = pause_of_round();
  if (const auto limit = terms_.time_limit; limit.count() > 0 && now - begun_ >= limit)
    out.give_up = "its " + tenths(seconds{limit}.count())
                  + " s are over; give it more time, or stop the guest for the move";
  if (rounds_without_progress() < stalled_rounds || now - progressed_ < least_patience)
    return out;
  out.pause_limit = terms_.pause();
  const bool in_sight = terms_.may_slow() || predicted_pause() <= terms_.pause();
  if (!in_sight || rounds_without_progress() >= most_rounds)
    out.give_up = complaint();
  return out;
}

std::chrono::milliseconds convergence::pause_of_round() const {
  if (terms_.intent == migration_intent::speed)
    return terms_.pause();
  return std::min(first_pause * (1U << std::min(round_, 16U)), terms_.pause());
}

void convergence::next_round(uint32_t round, time_point now) {
  if (progresses()) {
    if (round_ > 1) // what the first begins with is no rival
      least_ = began_with_;
    progress_round_ = round;
    progressed_ = now;
  }
  round_ = round;
  round_began_ = now;
  began_with_ = 0;
}

bool convergence::progresses() const {
  return round_ <= 1 || began_with_ < least_ / 100 * clearly_less_percent;
}

uint32_t convergence::rounds_without_progress() const {
  return round_ - progress_round_ + (progresses() ? 0 : 1);
}

std::chrono::milliseconds convergence::predicted_pause() const {
  const auto rounds = round_ - progress_round_;
  if (rounds == 0)
    return std::chrono::milliseconds{0};
  return std::chrono::duration_cast<std::chrono::milliseconds>(round_began_ - progressed_) / rounds;
}

std::string convergence::complaint() const {
  return "the guest writes to its memory as fast as the link carries it: each round leaves "
         + tenths(static_cast<double>(began_with_) / (1U << 20U)) + " MiB, which take "
         + tenths(seconds{predicted_pause()}.count()) + " s, and the guest may stand still for "
         + tenths(seconds{terms_.pause()}.count())
         + " s; allow it a longer pause, or stop it for the move";
}

} // namespace novacron
