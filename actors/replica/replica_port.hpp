#pragma once

#include "storage/replica.hpp"

#include <mutex>
#include <span>

namespace novacron {

/// Where messages from other nodes' replicas enter this node's, past the
/// keeper's mailbox. Safe from any thread.
class replica_port {
public:
  /// Null: closed. Returns once nobody is in the middle of the previous one.
  void lead_to(replica* engine) {
    std::lock_guard lock{mutex_};
    engine_ = engine;
  }
  /// Dropped while it is closed.
  void receive(node_id from, std::span<const std::byte> message) {
    std::lock_guard lock{mutex_};
    if (engine_)
      engine_->receive(from, message);
  }

private:
  std::mutex mutex_;
  replica* engine_ = nullptr;
};

} // namespace novacron
