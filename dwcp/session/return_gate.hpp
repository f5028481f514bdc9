#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace novacron {

/// Lets the return path's bytes through to the source's QEMU, but holds back
/// its last word.
///
/// The problem: with SHUT 0 the destination's QEMU says that the guest was
/// loaded; the source's QEMU then gives its guest up. It must not hear that
/// before we know that what was loaded is what was sent. Anything before SHUT,
/// and a SHUT that reports an error, passes at once. In QEMU's sources:
/// migration/migration.c, source_return_path_thread. Pure.
class return_gate {
public:
  /// The next bytes from the destination.
  void push(std::span<const std::byte> bytes);
  /// The destination will say no more.
  void end() { ended_ = true; }
  /// Both ends agree on all that was sent: lets SHUT through, too.
  void open();

  /// Bytes that may pass now; `passed` removes the first `count`.
  [[nodiscard]] std::span<const std::byte> ready() const { return ready_; }
  void passed(size_t count);
  /// Bytes that have come and not passed.
  [[nodiscard]] size_t waiting_bytes() const { return held_.size() + ready_.size(); }
  /// SHUT waits for `open`.
  [[nodiscard]] bool holding() const { return !held_.empty() && success(); }
  /// The destination has reported that the guest was loaded.
  [[nodiscard]] bool success() const { return shut_value_ == 0u; }
  /// The value that the destination's last word carried.
  [[nodiscard]] std::optional<uint32_t> shut_value() const { return shut_value_; }
  /// The destination has ended, and everything has passed.
  [[nodiscard]] bool done() const { return ended_ && ready_.empty() && !holding(); }

private:
  void advance();

  std::vector<std::byte> held_; ///< from a message's start on: not understood yet, or SHUT
  std::vector<std::byte> ready_;
  size_t skip_ = 0; ///< bytes of a message's content that are still to come
  std::optional<uint32_t> shut_value_;
  bool ended_ = false;
};

} // namespace novacron
