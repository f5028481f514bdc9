#pragma once

#include "actors/backup/backup_schedule.hpp"
#include "actors/log/log.hpp"
#include "messages/actors.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

namespace novacron {

struct backups_config {
  std::filesystem::path folder; ///< this node's own
  std::chrono::seconds every{3'600};
  uint32_t keep = 48;
  std::function<std::chrono::sys_seconds()> now; ///< the system's clock
  logger log;
};

struct backups_state {
  backups_config config;
  replica_actor replica;
  std::optional<backup_schedule> schedule;
  bool making = false; ///< or finding out whether to
  static constexpr const char* name = "backups";
};

/// Has backups of the replica's state made on time, and when asked. Killed here, what is
/// lost is the answer to whoever asked: the backup goes on or is given up with the replica,
/// and the schedule is read from the folder again.
///
/// Reads the folder, which blocks, so spawn it detached.
backups_actor::behavior_type backups(backups_actor::stateful_pointer<backups_state> self,
                                     backups_config config, replica_actor replica);

} // namespace novacron
