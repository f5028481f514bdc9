#pragma once

#include "storage/local/inbox.hpp"
#include "storage/log/snapshot_staging.hpp"
#include "storage/replication/persistence.hpp"
#include "storage/replication/replica_transport.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace novacron {

/// Fetches a snapshot, chunk by chunk, and stages it. A chunk that doesn't come,
/// or comes damaged, is asked for again; what is staged stays.
///
/// Replica's thread, but for the transport's answers, which come through the inbox.
class snapshot_fetch {
public:
  using clock = std::chrono::steady_clock;

  snapshot_fetch(database& db, std::shared_ptr<replica_transport> transport,
                 std::shared_ptr<inbox> queue)
      : staging_{db}, transport_{std::move(transport)}, queue_{std::move(queue)} {
    // nop
  }

  /// `done` is called once, on the replica's thread and not inside this call,
  /// unless another `begin` comes before.
  void begin(node_id from, const raft_snapshot& snapshot, std::function<void(bool)> done);
  /// Asks again for what failed, when it is time.
  void poll(clock::time_point now);
  /// When `poll` is wanted.
  [[nodiscard]] std::optional<clock::time_point> wake() const { return retry_at_; }

  /// Of what was fetched completely.
  [[nodiscard]] state_generation generation() const { return staging_.generation(); }
  [[nodiscard]] const applied_mark& mark() const { return reference_.mark; }

private:
  void ask();
  void answered(uint64_t attempt, const result<snapshot_chunk>& chunk);
  void end(bool complete);

  snapshot_staging staging_;
  std::shared_ptr<replica_transport> transport_;
  std::shared_ptr<inbox> queue_;
  node_id from_;
  snapshot_reference reference_;
  snapshot_chunk_request next_;
  std::function<void(bool)> done_; ///< empty: nothing is under way
  uint64_t attempt_ = 0;           ///< answers to earlier ones don't count
  int failures_ = 0;               ///< one after the other
  std::optional<clock::time_point> retry_at_;
};

} // namespace novacron
