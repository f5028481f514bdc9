#pragma once

#include "messages/ids.hpp"
#include "messages/peer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace novacron {

/// What speaks against a node that says it speaks this mesh version: a sentence with
/// both versions and the remedy. Empty: nothing, it is ours, the one before, or a
/// later one. Of a later one only the other end knows, and says the same about us.
std::string version_objection(uint32_t theirs, uint32_t ours = mesh_version);

/// The names under which CAF's handshake, which comes before any hello, lets nodes of
/// one cluster meet: those with one in common, so ours and that of the version before.
std::vector<std::string> mesh_names(cluster_id cluster, uint32_t ours = mesh_version);

} // namespace novacron
