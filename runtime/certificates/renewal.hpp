#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace novacron {

/// What a node got.
struct renewed_pair {
  node_id node;
  std::chrono::sys_seconds end; ///< of the new certificate
};

/// Issues the node called `name` a new key and a new certificate, with the CA in
/// `folder`. What the node is stands in its certificate there, `<name>.pem`, which
/// may have ended: uuid, roles and addresses stay. Its key need not be there.
///
/// The new pair takes the old one's place, and the old one is kept beside it, as
/// `<name>.pem.old` and `<name>.key.old`. Until the new pair is whole on the disk
/// the old one is in its place, and stays there when that fails. Between the
/// two renames a power cut leaves a pair that doesn't fit together: no node starts
/// with it, and calling this again mends it.
///
/// A node that runs goes on with the pair that it started with (`pinned_files`).
/// Fails, naming the file and what to do, when the CA isn't in `folder`, has ended or
/// isn't the node's, when there is no such node, or the files can't be written.
result<renewed_pair> renew_node_certificate(const std::filesystem::path& folder,
                                            const std::string& name);

/// Issues the CA in `folder` a new certificate, for the key and the name that it has: nothing that
/// it has signed need be issued again, and nodes that trust either certificate trust each other, so
/// that it is brought to one after the other. The old one is kept as `ca.pem.old`. When the new
/// one ends. Fails, naming the file and what to do, and leaves the old one in its place, when
/// the CA's files don't belong together or can't be written.
result<std::chrono::sys_seconds> renew_authority(const std::filesystem::path& folder);

} // namespace novacron
