#pragma once

#include "dwcp/session/session.hpp"
#include "messages/peer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace novacron {

/// What a door of snapshots asks of its node. Called from the door's threads; may block.
struct snapshot_lender {
  /// Is this node a controller of the cluster, now? (Its certificate says so already.)
  std::function<bool(node_id)> knows;
  /// One part. `dwcp_errc::withdrawn` when the snapshot isn't lent any more.
  std::function<result<snapshot_chunk>(const snapshot_chunk_request&)> read;
};

/// Lends the cluster's state to other controllers, part by part, over connections of
/// their own. Ends what is under way when it goes.
class snapshot_door {
public:
  virtual ~snapshot_door() = default;
  [[nodiscard]] virtual uint16_t port() const = 0;
};

/// Listens at `address`; port 0 picks one. `unauthorised` for unusable TLS
/// files, `unreachable` when the address can't be had.
result<std::unique_ptr<snapshot_door>> open_snapshot_door(const tls_files& tls,
                                                          const std::string& address, uint16_t port,
                                                          snapshot_lender lender);

} // namespace novacron
