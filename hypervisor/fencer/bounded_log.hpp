#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace novacron {

/// A log file that takes little more than twice 8 MiB: one that has grown past
/// that is moved to `<path>.1`, when it is opened and whenever `renew` is called.
/// All functions make system calls only: they may be called after fork.
struct bounded_log {
  static constexpr off_t bound_bytes = 8 << 20;

  explicit bounded_log(const std::filesystem::path& path);

  /// A descriptor for appending, closed by exec; -1 and errno on failure.
  [[nodiscard]] int open() const;
  /// Puts a fresh file in the place of `fd` when that is this log, and has grown
  /// past the bound. On failure it stays as it is.
  void renew(int fd) const;

  std::string path;
  std::string old;
};

} // namespace novacron
