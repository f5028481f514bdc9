#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace novacron {

/// The fencer's deadline, outliving the fencer: one file, replaced in one step.
///
/// It carries the id of the machine's boot, since CLOCK_BOOTTIME starts again
/// with each, and no guest lives through one. It is not flushed to the disk: it
/// has to outlive processes, not the machine.
class deadline_file {
public:
  /// `boot` names the machine's current boot.
  deadline_file(std::filesystem::path path, std::string boot);

  /// None when none was written in this boot. A file that can't be read or
  /// understood counts as a deadline that passed long ago: better fenced once
  /// too often than a guest twice.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> read() const;
  /// False, with errno, when it couldn't; the old one stands then.
  [[nodiscard]] bool write(std::chrono::nanoseconds deadline) const;

private:
  std::filesystem::path path_;
  std::string boot_;
};

/// From /proc/sys/kernel/random/boot_id.
std::string current_boot();

/// CLOCK_BOOTTIME.
std::chrono::nanoseconds boot_time();

} // namespace novacron
