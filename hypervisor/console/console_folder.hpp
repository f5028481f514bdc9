#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>

namespace novacron {

/// How much guests' consoles may take of a host's disk.
struct console_bounds {
  uint64_t newest_bytes = uint64_t{64} << 20; ///< of each guest
  std::chrono::hours forgotten_after{24};     ///< a log of a VM that is no longer here
};

/// Keeps a folder of consoles, `<vm>.log` each, within bounds.
///
/// QEMU appends to a log for as long as its guest runs, and others may be reading it. So
/// a log that is too long keeps its length, and everyone's offsets hold: what is old
/// becomes a hole, which takes no room and reads as zeros (`fallocate(2)`, FALLOC_FL_PUNCH_HOLE).
/// Logs of VMs that aren't `here`, and were not written to for a day, are removed. Other files
/// stay.
///
/// Fails, after having done what it could, when the folder can't be read or a file
/// can't be shortened. Blocks: not on an actor's thread.
result<void> sweep_consoles(const std::filesystem::path& folder,
                            const std::function<bool(vm_id)>& here,
                            const console_bounds& bounds = {});

} // namespace novacron
