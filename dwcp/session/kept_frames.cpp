#include "dwcp/session/kept_frames.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

void kept_frames::keep(shared_frame x) {
  bytes_ += size_of(*x);
  const auto sequence = x->header.sequence;
  frames_[sequence].what = std::move(x);
}

void kept_frames::taken(uint64_t sequence, uint16_t connection, time_point now) {
  if (const auto found = frames_.find(sequence); found != frames_.end()) {
    found->second.carrier = connection;
    found->second.taken = now;
  }
}

void kept_frames::acknowledged(uint64_t sequence) {
  while (!frames_.empty() && frames_.begin()->first < sequence) {
    bytes_ -= size_of(*frames_.begin()->second.what);
    frames_.erase(frames_.begin());
  }
}

/// The first frame that is on the same connection as the one that the peer waits for, and on no
/// other.
std::map<uint64_t, kept_frames::kept>::const_iterator kept_frames::late(uint16_t connection) const {
  if (frames_.empty())
    return frames_.end();
  const auto slow = frames_.begin()->second.carrier;
  if (!slow || *slow == connection)
    return frames_.end();
  return std::ranges::find_if(
      frames_, [&](const auto& x) { return x.second.carrier == slow && !x.second.second; });
}

std::optional<kept_frames::time_point> kept_frames::repeat_at(uint16_t connection,
                                                              duration age) const {
  const auto found = late(connection);
  return found == frames_.end() ? std::nullopt : std::optional{found->second.taken + age};
}

shared_frame kept_frames::repeat(uint16_t connection, duration age, time_point now) {
  const auto found = late(connection);
  if (found == frames_.end() || now < found->second.taken + age)
    return nullptr;
  frames_.at(found->first).second = connection;
  ++repeats_;
  return found->second.what;
}

bool kept_frames::only_on(uint64_t sequence, uint16_t connection) const {
  const auto found = frames_.find(sequence);
  return found != frames_.end() && found->second.carrier == connection && !found->second.second;
}

std::vector<shared_frame> kept_frames::lost(uint16_t connection) {
  std::vector<shared_frame> again;
  for (auto& [sequence, x] : frames_) {
    if (x.second == connection)
      x.second.reset();
    if (x.carrier != connection)
      continue;
    x.carrier = std::exchange(x.second, std::nullopt);
    if (!x.carrier)
      again.push_back(x.what);
  }
  return again;
}

} // namespace novacron
