#pragma once

#include "storage/backup/backup_reader.hpp"
#include "storage/local/new_timeline.hpp"

namespace novacron {

/// Makes a backup the state of the replica of `config`, on a new disk: the beginning of a
/// new timeline, later than that of any backup there, of which it is the only voter,
/// whichever node the backup was made of.
/// `then` is the new timeline's first command, see `begin_new_timeline`.
///
/// `config.folder` must be missing or empty; it appears whole, or not at all: the work is
/// done in `<folder>.restoring`, which an interrupted restore leaves behind and the next
/// one empties. Fails as `backup_reader::restore` does, and with `foreign` for a backup of
/// another cluster. Blocks.
result<folder_outlook> restore_replica(const backup_reader& from, uint32_t number,
                                       const replica_config& config, command then);

} // namespace novacron
