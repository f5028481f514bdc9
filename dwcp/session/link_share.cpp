#include "dwcp/session/link_share.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

void weighted_budget::join(uint64_t member, unsigned weight, time_point now) {
  grow(now);
  accounts_[member] = {std::max(weight, 1U), 0, now};
}

void weighted_budget::leave(uint64_t member, time_point now) {
  grow(now);
  accounts_.erase(member);
}

weighted_budget::time_point weighted_budget::may_send_at(uint64_t member, time_point now) {
  grow(now);
  auto& mine = accounts_.at(member);
  mine.asked = now;
  if (mine.balance >= 0)
    return now;
  const std::chrono::duration<double> wait{-mine.balance / part(mine, now)};
  return now + std::chrono::ceil<duration>(wait);
}

void weighted_budget::sent(uint64_t member, uint64_t bytes, time_point now) {
  grow(now);
  accounts_.at(member).balance -= static_cast<double>(bytes);
}

void weighted_budget::grow(time_point now) {
  const std::chrono::duration<double> passed = now - std::exchange(grown_, now);
  for (auto& [number, each] : accounts_) {
    const double rate = part(each, now);
    const double most = rate * std::chrono::duration<double>{burst}.count();
    each.balance = std::max(each.balance, std::min(each.balance + rate * passed.count(), most));
  }
}

bool weighted_budget::active(const account& x, time_point now) const {
  return now - x.asked < idle_after;
}

/// Bytes a second. A debt is paid off though nothing is asked for.
double weighted_budget::part(const account& x, time_point now) const {
  unsigned sum = 0;
  for (const auto& [number, each] : accounts_)
    if (active(each, now) || each.balance < 0 || &each == &x)
      sum += each.weight;
  return static_cast<double>(rate_) * x.weight / sum;
}

link_share::link_share(uint64_t bytes_per_second)
    : bounded_{bytes_per_second > 0}, budget_{bytes_per_second} {
  // nop
}

std::shared_ptr<link_share> link_share::make(uint64_t bytes_per_second) {
  return std::shared_ptr<link_share>{new link_share{bytes_per_second}};
}

link_share::member::member(std::shared_ptr<link_share> share, unsigned weight)
    : share_{std::move(share)} {
  const std::scoped_lock lock{share_->mutex_};
  number_ = share_->next_++;
  share_->budget_.join(number_, weight, std::chrono::steady_clock::now());
}

link_share::member::~member() {
  const std::scoped_lock lock{share_->mutex_};
  share_->budget_.leave(number_, std::chrono::steady_clock::now());
}

std::chrono::steady_clock::time_point link_share::member::may_send_at() {
  const auto now = std::chrono::steady_clock::now();
  if (!share_->bounded_)
    return now;
  const std::scoped_lock lock{share_->mutex_};
  return share_->budget_.may_send_at(number_, now);
}

void link_share::member::sent(uint64_t bytes) {
  if (!share_->bounded_)
    return;
  const std::scoped_lock lock{share_->mutex_};
  share_->budget_.sent(number_, bytes, std::chrono::steady_clock::now());
}

} // namespace novacron
