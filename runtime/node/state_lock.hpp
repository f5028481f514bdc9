#pragma once

#include "messages/address.hpp"
#include "messages/descriptor.hpp"
#include "messages/result.hpp"

#include <filesystem>

namespace novacron {

/// Makes a node's state folder if need be, checks that it can be written, and
/// locks it for this process: two nodes on one folder would destroy each
/// other's state. Held while the result lives; the kernel drops it when the
/// process ends, however it ends. `node.lock` in the folder holds the pid.
result<descriptor> lock_node_folder(const std::filesystem::path& folder);

/// Succeeds when something could listen at `where` now; `key` names it in the
/// complaint, as in "mesh.listen".
result<void> check_free(const address& where, const std::string& key);

} // namespace novacron
