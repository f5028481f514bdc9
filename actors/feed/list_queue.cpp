#include "actors/feed/list_queue.hpp"

namespace novacron {

list_queue::turn list_queue::asked(list_ticket ticket, time_point now) {
  if (reading_ < limits_.reading) {
    ++reading_;
    return turn::now;
  }
  if (waiting_.size() >= limits_.waiting)
    return turn::never;
  waiting_.push_back({ticket, now});
  return turn::later;
}

std::optional<list_ticket> list_queue::ended() {
  if (waiting_.empty()) {
    --reading_;
    return std::nullopt;
  }
  const auto next = waiting_.front().ticket;
  waiting_.pop_front();
  return next;
}

std::vector<list_ticket> list_queue::tick(time_point now) {
  std::vector<list_ticket> over;
  while (!waiting_.empty() && now - waiting_.front().since >= limits_.patience) {
    over.push_back(waiting_.front().ticket);
    waiting_.pop_front();
  }
  return over;
}

} // namespace novacron
