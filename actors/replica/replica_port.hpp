#pragma once

#include "storage/replica.hpp"

#include <mutex>
#include <span>

namespace novacron {

/// Where other nodes' replicas reach this node's, past the keeper's mailbox. Safe from
/// any thread.
class replica_port {
public:
  /// Null: closed. Returns once nobody is in the middle of the previous one.
  void lead_to(replica* engine) {
    std::scoped_lock lock{mutex_, reading_};
    engine_ = engine;
  }
  /// Dropped while it is closed.
  void receive(node_id from, std::span<const std::byte> message) {
    std::lock_guard lock{mutex_};
    if (engine_)
      engine_->receive(from, message);
  }

  /// One reader at a time, none of whom keeps a message waiting. While it is closed there
  /// may be another moment.
  result<snapshot_chunk> read_snapshot(const snapshot_chunk_request& request) {
    std::lock_guard lock{reading_};
    if (!engine_)
      return failure{std::make_error_code(std::errc::resource_unavailable_try_again),
                     "the replica is being opened"};
    return engine_->read_snapshot(request);
  }

private:
  std::mutex mutex_;
  std::mutex reading_;        ///< apart: a part of a snapshot may take its time
  replica* engine_ = nullptr; ///< changed under both
};

} // namespace novacron
