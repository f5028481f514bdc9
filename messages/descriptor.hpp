#pragma once

#include <unistd.h>
#include <utility>

namespace novacron {

/// Owns a file descriptor of any kind, and closes it. What close(2) says is
/// dropped: whoever must know that bytes are on the disk calls fsync(2) before.
class descriptor {
public:
  /// Owns nothing.
  descriptor() = default;
  /// Takes what open(2), socket(2) and their kin have returned; a negative
  /// number, their failure, is owned by nobody, and `errno` stays as it was.
  explicit descriptor(int fd) : fd_{fd} {
    // nop
  }
  descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
    // nop
  }
  /// Closes what it had at once, not when `other` goes.
  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~descriptor() { reset(); }

  /// Negative when it owns nothing.
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  /// Closes it. Afterwards it owns nothing.
  void reset() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

private:
  int fd_ = -1;
};

} // namespace novacron
