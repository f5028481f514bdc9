// What TCP says of a session's connections, and what it is told.

#include "dwcp/session/stream_set.hpp"

#include <algorithm>

namespace novacron {

bool stream_set::set_congestion_control(const std::string& name) {
  const std::scoped_lock lock{mutex_};
  for (const auto& [number, x] : connections_) {
    if (x->lost)
      continue;
    const auto& socket = x->stream->socket();
    if (given_control_.empty())
      given_control_ = congestion_control_of(socket);
    if (!novacron::set_congestion_control(socket, name.empty() ? given_control_ : name))
      return false;
  }
  control_ = name;
  return true;
}

std::string stream_set::congestion_control() const {
  const std::scoped_lock lock{mutex_};
  for (const auto& [number, x] : connections_)
    if (!x->lost)
      return congestion_control_of(x->stream->socket());
  return {};
}

path_figures stream_set::path() const {
  const std::scoped_lock lock{mutex_};
  path_figures all;
  for (const auto& [number, x] : connections_) {
    if (x->lost)
      continue;
    const auto its = path_of(x->stream->socket());
    all.segments += its.segments;
    all.repeated += its.repeated;
    all.round_trip = std::max(all.round_trip, its.round_trip);
    if (all.least_round_trip.count() == 0 || its.least_round_trip < all.least_round_trip)
      all.least_round_trip = its.least_round_trip;
  }
  return all;
}

/// As the others have it. Where it can't, it only carries less.
void stream_set::take_control(const connection& x) const {
  if (!control_.empty())
    novacron::set_congestion_control(x.stream->socket(), control_);
}

} // namespace novacron
