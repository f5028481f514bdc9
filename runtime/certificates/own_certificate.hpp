#pragma once

#include "actors/peer/identity.hpp"
#include "runtime/config/node_config.hpp"

namespace novacron {

/// Who we are, as our own certificate says it, after everything that a peer
/// would refuse us for has been looked at: the files can be read, the
/// certificate is the CA's, valid now, names us and our roles, and the key is
/// its own. Fails with one line that names the file.
result<node_identity> check_own_certificate(const node_config& config);

/// The uuid of the cluster, from its file.
result<cluster_id> read_cluster_id(const std::filesystem::path& file);

} // namespace novacron
