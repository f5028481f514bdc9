#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace novacron {

/// The deadline that a fencer holds while its file, which may hang, is written by
/// another process.
///
/// The problem: an order must hold before it is acknowledged, and must be in the
/// file by then, but a later deadline that holds before it is in the file would
/// be forgotten by a crash. So what is stricter holds at once, what is looser
/// when it was written; and a strict order that comes meanwhile is not undone by
/// the end of that write. Pure.
class held_deadline {
public:
  /// `deadline` is what the file says; none was ever given if it's empty.
  explicit held_deadline(std::optional<std::chrono::nanoseconds> deadline) : held_{deadline} {
    // nop
  }

  [[nodiscard]] const std::optional<std::chrono::nanoseconds>& get() const { return held_; }
  [[nodiscard]] bool passed(std::chrono::nanoseconds now) const { return held_ && now >= *held_; }

  /// Takes an order. True: it is to be written, and `written` called. False: an
  /// earlier one is still being written, so this one can't be acknowledged.
  [[nodiscard]] bool order(std::chrono::nanoseconds deadline) {
    if (!held_ || deadline < *held_)
      held_ = deadline;
    if (writing_) {
      writing_ = std::min(*writing_, deadline);
      return false;
    }
    writing_ = deadline;
    return true;
  }

  /// The order that was to be written is in the file, or couldn't be written.
  void written(bool success) {
    const auto done = std::exchange(writing_, std::nullopt);
    if (success && done)
      held_ = done;
  }

private:
  std::optional<std::chrono::nanoseconds> held_;
  std::optional<std::chrono::nanoseconds> writing_;
};

} // namespace novacron
