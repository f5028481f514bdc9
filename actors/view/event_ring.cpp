#include "actors/view/event_ring.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

void event_ring::reset(uint64_t revision) {
  first_ = end() + 1; // a reader that had read everything misses something too
  events_.clear();
  known_after_ = revision;
}

void event_ring::push(view_event event) {
  events_.push_back(std::move(event));
  while (events_.size() > capacity_) {
    known_after_ = std::max(known_after_, events_.front().revision);
    events_.pop_front();
    ++first_;
  }
}

std::optional<uint64_t> event_ring::position_after(uint64_t revision) const {
  if (revision < known_after_)
    return std::nullopt;
  auto at = std::ranges::upper_bound(events_, revision, {}, &view_event::revision);
  return first_ + static_cast<uint64_t>(at - events_.begin());
}

std::optional<event_ring::slice> event_ring::read(uint64_t position, size_t limit) const {
  if (position < first_)
    return std::nullopt;
  slice result;
  auto from = std::min<uint64_t>(position - first_, events_.size());
  auto count = std::min<uint64_t>(limit, events_.size() - from);
  auto begin = events_.begin() + static_cast<std::ptrdiff_t>(from);
  result.events.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  result.next = first_ + from + count;
  return result;
}

} // namespace novacron
