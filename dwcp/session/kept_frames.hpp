#pragma once

#include "dwcp/transport/frame.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace novacron {

using shared_frame = std::shared_ptr<const frame>;

/// The frames that were sent and that the peer hasn't acknowledged, and which connection each is
/// on.
///
/// The problem: the peer takes frames in one order, whichever connection brings them. One that
/// breaks takes frames with it; they must go again. One that is merely slow holds up all that came
/// by the others, for it has the frame that the peer waits for. So a connection that has
/// nothing to do carries that frame as well, and what is behind it on the slow one, once they have
/// been under way for too long; whichever copy comes first counts. Nothing goes over a third.
///
/// Pure.
class kept_frames {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;

  /// A frame of this sequence goes out, later than all before it.
  void keep(shared_frame x);
  /// A connection writes it from now on.
  void taken(uint64_t sequence, uint16_t connection, time_point now);
  /// The peer has what is below this sequence.
  void acknowledged(uint64_t sequence);

  /// When a free connection may carry the next frame as well; nothing: there is none for it.
  [[nodiscard]] std::optional<time_point> repeat_at(uint16_t connection, duration age) const;
  /// That frame, if it is time; the connection carries it now.
  shared_frame repeat(uint16_t connection, duration age, time_point now);

  /// Does this connection alone carry it, and isn't it acknowledged?
  [[nodiscard]] bool only_on(uint64_t sequence, uint16_t connection) const;

  /// A connection is lost: what nobody carries any more, in order.
  std::vector<shared_frame> lost(uint16_t connection);

  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t repeats() const { return repeats_; } ///< so far

private:
  struct kept {
    shared_frame what;
    std::optional<uint16_t> carrier; ///< nothing: it waits for one
    std::optional<uint16_t> second;  ///< which carries it as well
    time_point taken;                ///< by the first of them
  };

  [[nodiscard]] std::map<uint64_t, kept>::const_iterator late(uint16_t connection) const;

  std::map<uint64_t, kept> frames_; ///< by sequence
  size_t bytes_ = 0;
  uint64_t repeats_ = 0;
};

} // namespace novacron
