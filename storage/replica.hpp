#pragma once

#include "messages/backup.hpp"
#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"
#include "messages/result.hpp"
#include "storage/replication/membership.hpp"
#include "storage/replication/replica_transport.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace novacron {

struct replica_config {
  std::filesystem::path folder; ///< one RocksDB with log and state
  node_id node;                 ///< whose replica this is
  cluster_id cluster;
  uint32_t group = 0;
  uint32_t timeline = 0; ///< 0: whatever the folder says; of an empty one the first
  std::chrono::milliseconds election{500};
  std::chrono::milliseconds heartbeat{100};
  size_t max_queued_bytes = 16u << 20; ///< proposals that wait; more are refused as `overloaded`
  uint64_t keep_changes = 1'000'000;   ///< revisions that the feed can resume from
  uint32_t keep_log = 10'000;          ///< applied entries kept for replicas that are behind
  std::function<log_time()> clock;     ///< empty: the system's; stamps batches
  uint32_t hold_version = 0; ///< not 0: the cluster's version doesn't rise beyond it; for tests

  // How a replica with an empty folder begins. One that has begun doesn't look
  // at these again; whoever opens it says them only the first time, as a replica
  // whose folder was emptied must join, not found.
  std::vector<node_id> founders; ///< the first voters, the same everywhere; empty: this node alone
  bool join = false;             ///< rather wait until a leader adds it

  std::shared_ptr<replica_transport> transport; ///< null: it is alone
};

/// A replica of the group, as the log says.
struct replica_member {
  node_id node;
  uint64_t disk = 0; ///< of its database; 0: not known yet
  member_role role = member_role::voter;
  bool online = false;       ///< heard of within two election timeouts; by the leader only
  uint64_t stored_index = 0; ///< how far its log is known to be; by the leader only
  uint32_t knows = 0;        ///< the newest cluster version that its program knows; 0: not heard of
  uint64_t compared_index = 0; ///< its state was seen to be this replica's there; 0: not yet

  friend bool operator==(const replica_member&, const replica_member&) = default;
};

/// A change of the group's members. Standbys get the log and don't vote.
struct member_change {
  enum class kind : uint8_t { add, promote, demote, remove };
  kind what = kind::add;
  node_id node;
  uint64_t disk = 0; ///< of `add`: the `disk` that the new replica's status says; else may be 0

  friend bool operator==(const member_change&, const member_change&) = default;
};

struct replica_status {
  bool leader = false;
  uint64_t term = 0;
  uint64_t commit_index = 0;
  uint64_t applied_index = 0; ///< the state's revision
  uint32_t voters = 1;
  uint32_t timeline = 0;
  node_id leads;     ///< the node that leads, as far as is known here; may be nil
  uint64_t disk = 0; ///< of this replica's database
  std::vector<replica_member> members;
  bool installing = false;      ///< a snapshot is being fetched or installed
  std::string refused;          ///< not empty: it takes no part any more, and why
  uint32_t cluster_version = 0; ///< of the state
  friend bool operator==(const replica_status&, const replica_status&) = default;
};

/// One member of the group that holds the cluster's state: of 1, 3 or 5 voters,
/// and any number of standbys.
///
/// Commands are proposed, become entries of the replicated log, and change the
/// state only once they are committed and stored here. Two threads of its own:
/// one steps the consensus core and applies, the other writes to the disk, all
/// that waits in one synced batch. So a slow disk delays no election, and
/// 100,000 actors delay neither.
///
/// Any failed write ends the process with a clear line: what was acknowledged
/// is on the disk, and a replica that can't write must not vote. So does a state
/// that differs from the other members', for good: the folder is refused from then on.
///
/// The cluster's version rises when all members have said that they know the next
/// one; commands of a later version than the cluster's are refused.
class replica {
public:
  /// Opens or creates the folder, and returns once the log is loaded.
  /// Refuses a folder that belongs to another cluster or node.
  static result<std::unique_ptr<replica>> open(const replica_config& config);

  virtual ~replica() = default;

  /// Appends `commands` as (part of) one entry. `done` is called exactly once,
  /// on the replica's thread, with an outcome per command: after the entry is
  /// applied, or with `not_leader` (the detail and the status say who leads),
  /// `overloaded`, `needs_upgrade` or, when this replica stops or loses leadership in between,
  /// `unknown_outcome`. Any thread.
  virtual void propose(std::vector<command> commands,
                       std::function<void(std::vector<command_outcome>)> done)
      = 0;

  /// Calls `done` with the applied revision once everything that was
  /// acknowledged before this call, by anybody, is applied here. Fails with
  /// `not_leader` or `stopped`. Any thread.
  virtual void read_barrier(std::function<void(result<uint64_t>)> done) = 0;

  /// Called on the replica's thread after each apply that changed something.
  /// At most one listener; set it before the first proposal.
  virtual void on_applied(std::function<void(uint64_t revision)> listener) = 0;

  /// A page of the state, see `feed_listing`. Any thread.
  virtual result<feed_listing> list(const list_request& request) = 0;
  /// Changes after a revision, at once, possibly none. Any thread.
  virtual result<feed_changes> changes_after(const pull_request& request) = 0;

  [[nodiscard]] virtual replica_status status() const = 0;

  // -- the group ---------------------------------------------------------------------

  /// What another replica's transport was given to send here; `from` is proven.
  /// What can't be taken in is dropped. Any thread.
  virtual void receive(node_id from, std::span<const std::byte> message) = 0;

  /// A part of a snapshot that this replica has offered. Any thread that may
  /// block for some milliseconds. Fails with `stopped`: it isn't offered any more.
  virtual result<snapshot_chunk> read_snapshot(const snapshot_chunk_request& request) = 0;

  /// Changes the members, one at a time; on the leader. A promoted one has
  /// caught up first. Fails with `not_leader`, with `refused` and the reason, or
  /// with `stopped`: the lead was lost, and the change may or may not happen.
  /// Any thread.
  virtual void change_member(const member_change& wish, std::function<void(result<void>)> done) = 0;

  /// Hands leadership to another voter, within an election timeout or not at
  /// all: the status tells. Any thread.
  virtual void hand_over(node_id to) = 0;

  /// All leases, for whoever looks for those that were not renewed. Any thread.
  [[nodiscard]] virtual std::vector<lease_record> leases() const = 0;

  /// All nodes, for whoever sees to their membership. Any thread.
  [[nodiscard]] virtual std::vector<node_record> nodes() const = 0;

  /// Adds a backup of all that is applied to `folder`, see `backup_writer::make`, and
  /// deletes all but the newest `keep` there. Blocks for as long as the disks take or
  /// until `stop` is requested, while the replica goes on. Any thread; one at a time
  /// for a folder.
  virtual result<backup_info> back_up(const std::filesystem::path& folder, uint32_t keep,
                                      const std::stop_token& stop)
      = 0;
};

} // namespace novacron
