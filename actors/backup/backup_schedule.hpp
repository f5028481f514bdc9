#pragma once

#include <chrono>
#include <optional>

namespace novacron {

/// When the next backup of this node's replica is due.
///
/// The leader has enough to do, so where there are others it leaves a backup to them; but
/// one that has led for two periods makes it itself, as its folder may be the only one. Times
/// are the system's clock, which restarts don't reset; it may jump, so a backup of the
/// future counts as one that was made long ago.
///
/// Pure.
class backup_schedule {
public:
  /// `newest`: of the backups that there are.
  backup_schedule(std::chrono::seconds every, std::optional<std::chrono::sys_seconds> newest)
      : every_{every}, newest_{newest} {
    // nop
  }

  /// `leads_others`: this node leads a group of several voters.
  [[nodiscard]] bool due(std::chrono::sys_seconds now, bool leads_others) const;

  /// One was made, on time or because somebody asked for it.
  void made(std::chrono::sys_seconds at) {
    newest_ = at;
    failed_.reset();
  }
  /// One could not be made: it is tried again a minute later.
  void failed(std::chrono::sys_seconds at) { failed_ = at; }

private:
  std::chrono::seconds every_;
  std::optional<std::chrono::sys_seconds> newest_;
  std::optional<std::chrono::sys_seconds> failed_; ///< last, since the newest
};

} // namespace novacron
