#pragma once

#include "actors/peer/standing_links.hpp"
#include "storage/replication/replica_transport.hpp"

#include <memory>

namespace novacron {

/// Connects this node's replica to the others over the links that stand.
///
/// Chunks of snapshots go over the links as well, not over the page plane, which
/// only hosts have: one chunk of at most 60 KiB is on its way at a time, and
/// replicas' messages overtake it in every mailbox.
class mesh_transport : public replica_transport {
public:
  /// `system` must outlive it.
  mesh_transport(caf::actor_system& system, std::shared_ptr<standing_links> links)
      : system_{system}, links_{std::move(links)} {
    // nop
  }

  void send(node_id to, std::vector<std::byte> message) override;
  void fetch(node_id from, const snapshot_chunk_request& what,
             std::function<void(result<snapshot_chunk>)> done) override;

private:
  caf::actor_system& system_;
  std::shared_ptr<standing_links> links_;
};

} // namespace novacron
