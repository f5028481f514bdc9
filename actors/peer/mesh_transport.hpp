#pragma once

#include "actors/peer/snapshot_doors.hpp"
#include "actors/peer/standing_links.hpp"
#include "dwcp/snapshots/snapshot_line.hpp"
#include "storage/replication/replica_transport.hpp"

#include <memory>

namespace novacron {

/// Connects this node's replica to the others over the links that stand.
///
/// The first part of a snapshot comes over the link, at most 60 KiB, and says where the
/// owner's door for snapshots is; the others come from there, up to 1 MiB each, over a
/// connection of their own. Where that door can't be reached all parts come over
/// the link, one at a time, and replicas' messages overtake them in every mailbox.
class mesh_transport : public replica_transport {
public:
  /// `system` must outlive it. Without a `line` all parts come over the links.
  mesh_transport(caf::actor_system& system, std::shared_ptr<standing_links> links,
                 std::shared_ptr<snapshot_line> line)
      : system_{system}, links_{std::move(links)}, line_{std::move(line)} {
    // nop
  }

  void send(node_id to, std::vector<std::byte> message) override;
  void fetch(node_id from, const snapshot_chunk_request& what,
             std::function<void(result<snapshot_chunk>)> done) override;

private:
  void fetch_by_link(node_id from, snapshot_chunk_request what,
                     std::function<void(result<snapshot_chunk>)> done);

  caf::actor_system& system_;
  std::shared_ptr<standing_links> links_;
  std::shared_ptr<snapshot_line> line_; ///< may be null
  std::shared_ptr<snapshot_doors> doors_ = std::make_shared<snapshot_doors>();
};

} // namespace novacron
