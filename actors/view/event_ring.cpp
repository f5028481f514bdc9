#include "actors/view/event_ring.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

std::span<const view_event> whole_revisions(std::span<const view_event> events, size_t most_bytes) {
  size_t whole = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    bytes += events[i].json->size() + 1;
    if (bytes > most_bytes)
      break;
    if (i + 1 == events.size() || events[i + 1].revision != events[i].revision)
      whole = i + 1;
  }
  return events.first(whole);
}

void event_ring::reset(uint64_t revision) {
  first_ = end() + 1; // a reader that had read everything misses something too
  events_.clear();
  bytes_ = 0;
  known_after_ = revision;
}

void event_ring::push(view_event event) {
  bytes_ += event.json->size();
  events_.push_back(std::move(event));
  while (events_.size() > capacity_ || bytes_ > most_bytes_)
    drop_first();
}

void event_ring::drop_first() {
  const auto& oldest = events_.front();
  known_after_ = std::max(known_after_, oldest.revision);
  bytes_ -= oldest.json->size();
  events_.pop_front();
  ++first_;
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
  auto at = events_.begin() + static_cast<std::ptrdiff_t>(from);
  auto& out = result.events;
  for (size_t bytes = 0; at != events_.end(); ++at) {
    bytes += at->json->size();
    const bool full = out.size() >= limit || bytes > most_slice_bytes;
    if (full && !out.empty() && out.back().revision != at->revision)
      break;
    out.push_back(*at);
  }
  result.next = first_ + from + result.events.size();
  return result;
}

} // namespace novacron
