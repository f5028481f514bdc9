#pragma once

#include "dwcp/transport/frame.hpp"

#include <map>
#include <optional>

namespace novacron {

/// Frames a sender may have under way that the other end hasn't released.
inline constexpr uint64_t max_frames_under_way = 1024;

/// Puts the frames of several connections into their one order. Pure.
class reorder_queue {
public:
  explicit reorder_queue(size_t bound_bytes) : bound_bytes_{bound_bytes} {
    // nop
  }

  /// Whether a frame may be put in now. The next one always may: it makes room.
  [[nodiscard]] bool admits(const frame_header& header) const {
    return header.sequence == next_ || bytes_ < bound_bytes_;
  }

  /// Whether the frame of this sequence is there, or was.
  [[nodiscard]] bool seen(uint64_t sequence) const {
    return sequence < next_ || frames_.contains(sequence);
  }

  /// False when the sequence can't be: seen before, or too far ahead.
  [[nodiscard]] bool put(frame&& x) {
    const auto sequence = x.header.sequence;
    if (sequence < next_ || sequence - next_ > max_frames_under_way)
      return false;
    const auto size = x.payload.size();
    if (!frames_.try_emplace(sequence, std::move(x)).second)
      return false;
    bytes_ += size;
    return true;
  }

  /// The next frame, when it is there.
  std::optional<frame> take() {
    const auto first = frames_.begin();
    if (first == frames_.end() || first->first != next_)
      return std::nullopt;
    frame x = std::move(first->second);
    frames_.erase(first);
    bytes_ -= x.payload.size();
    ++next_;
    return x;
  }

  [[nodiscard]] bool ready() const { return !frames_.empty() && frames_.begin()->first == next_; }
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t next() const { return next_; }

private:
  size_t bound_bytes_;
  size_t bytes_ = 0;
  uint64_t next_ = 0;
  std::map<uint64_t, frame> frames_;
};

} // namespace novacron
