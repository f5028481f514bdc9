#pragma once

#include <filesystem>
#include <string>

namespace novacron {

/// A log file that never takes more than twice 8 MiB: one that has grown past
/// that when it is opened is moved to `<path>.1`.
struct bounded_log {
  explicit bounded_log(const std::filesystem::path& path);

  /// A descriptor for appending, closed by exec; -1 and errno on failure. System
  /// calls only: may be called after fork.
  [[nodiscard]] int open() const;

  std::string path;
  std::string old;
};

} // namespace novacron
