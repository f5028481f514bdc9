#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace novacron {

struct replica_config {
  std::filesystem::path folder; ///< one RocksDB with log and state
  node_id node;                 ///< whose replica this is
  cluster_id cluster;
  uint32_t group = 0;
  uint32_t timeline = 0;
  std::chrono::milliseconds election{500};
  std::chrono::milliseconds heartbeat{100};
  size_t max_queued_bytes = 16u << 20; ///< proposals that wait; more are refused as `overloaded`
  uint64_t keep_changes = 1'000'000;   ///< revisions that the feed can resume from
  uint32_t keep_log = 10'000;          ///< applied entries kept for replicas that are behind
  std::function<log_time()> clock;     ///< empty: the system's; stamps batches
};

struct replica_status {
  bool leader = false;
  uint64_t term = 0;
  uint64_t commit_index = 0;
  uint64_t applied_index = 0; ///< the state's revision
  uint32_t voters = 1;
  uint32_t timeline = 0;
  friend bool operator==(const replica_status&, const replica_status&) = default;
};

/// One member of the group that holds the cluster's state.
///
/// Commands are proposed, become entries of the replicated log, and change the
/// state only once they are committed and stored here. Two threads of its own:
/// one steps the consensus core and applies, the other writes to the disk, all
/// that waits in one synced batch. So a slow disk delays no election, and
/// 100,000 actors delay neither.
///
/// Any failed write ends the process with a clear line: what was acknowledged
/// is on the disk, and a replica that can't write must not vote.
class replica {
public:
  /// Opens or creates the folder, and returns once the log is loaded.
  /// Refuses a folder that belongs to another cluster or node.
  static result<std::unique_ptr<replica>> open(const replica_config& config);

  virtual ~replica() = default;

  /// Appends `commands` as (part of) one entry. `done` is called exactly once,
  /// on the replica's thread, with an outcome per command: after the entry is
  /// applied, or with `not_leader`, `overloaded` or, when this replica stops
  /// or loses leadership in between, `unknown_outcome`. Any thread.
  virtual void propose(std::vector<command> commands,
                       std::function<void(std::vector<command_outcome>)> done)
      = 0;

  /// Calls `done` with the applied revision once everything that was
  /// acknowledged before this call is applied here. Any thread.
  virtual void read_barrier(std::function<void(result<uint64_t>)> done) = 0;

  /// Called on the replica's thread after each apply that changed something.
  /// At most one listener; set it before the first proposal.
  virtual void on_applied(std::function<void(uint64_t revision)> listener) = 0;

  /// A page of the state, see `feed_listing`. Any thread.
  virtual result<feed_listing> list(const list_request& request) = 0;
  /// Changes after a revision, at once, possibly none. Any thread.
  virtual result<feed_changes> changes_after(const pull_request& request) = 0;

  [[nodiscard]] virtual replica_status status() const = 0;

  /// All leases, for whoever looks for those that were not renewed. Any thread.
  [[nodiscard]] virtual std::vector<lease_record> leases() const = 0;

  /// A consistent copy of the database in `folder`, which must not exist; made
  /// with hard links, in milliseconds. Any thread.
  virtual result<void> checkpoint(const std::filesystem::path& folder) = 0;
};

} // namespace novacron
