#pragma once

#include "test_replica.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace novacron {

/// Carries messages between replicas of this process, in order per pair. A
/// thread of its own delivers, as a mesh would; nodes can be cut off.
class memory_network {
public:
  memory_network();
  ~memory_network();

  /// The transport of `node`'s replica.
  std::shared_ptr<replica_transport> transport_of(node_id node);
  /// Messages to `node` go to `to` from now on; null: it is down. What was
  /// begun for the one before has ended when this returns.
  void connect(node_id node, replica* to);
  /// Nothing to or from it arrives, until `heal`.
  void cut(node_id node);
  void heal();

  [[nodiscard]] size_t largest_message() const { return largest_; }
  [[nodiscard]] uint64_t chunks() const { return chunks_; }
  /// Fetches that began, not those that went on.
  [[nodiscard]] uint64_t beginnings() const { return beginnings_; }
  /// The chunks from the `first` to before the `last` are answered with a failure.
  void fail_chunks(uint64_t first, uint64_t last) {
    failing_from_ = first;
    failing_to_ = last;
  }

private:
  struct parcel {
    node_id from;
    node_id to;
    std::vector<std::byte> message;
    snapshot_chunk_request chunk;
    std::function<void(result<snapshot_chunk>)> done; ///< empty: it is a message
  };
  class end_of_line;

  void post(parcel one);
  void run();
  void deliver(parcel& one);

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<parcel> parcels_;
  std::map<node_id, replica*> replicas_;
  std::set<node_id> cut_;
  std::mutex delivering_; ///< held while a replica is called
  std::atomic<size_t> largest_ = 0;
  std::atomic<uint64_t> chunks_ = 0;
  std::atomic<uint64_t> beginnings_ = 0;
  std::atomic<uint64_t> failing_from_ = 0;
  std::atomic<uint64_t> failing_to_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

/// Replicas with real databases in folders of their own, in one process.
class replica_group {
public:
  /// Opens `voters` founders: nodes 1 to `voters`.
  explicit replica_group(uint64_t voters, uint32_t keep_log = 10'000, uint32_t hold = 0);
  ~replica_group();

  static node_id node(uint64_t n) { return {{0xa, n}}; }

  void open(uint64_t n, bool join = false);
  /// In whatever timeline its folder is.
  void open_as_folder_says(uint64_t n, bool join = false);
  result<void> try_open(uint64_t n, bool join = false, uint32_t timeline = 1);
  std::filesystem::path folder(uint64_t n) { return folder_ / ("node-" + std::to_string(n)); }
  /// Ends the replica; its folder stays.
  void close(uint64_t n);
  /// Its disk is exchanged for an empty one.
  void empty(uint64_t n);
  replica& at(uint64_t n) { return *replicas_.at(n); }
  bool is_open(uint64_t n) { return replicas_.contains(n); }

  /// Waits for one that leads; fails the test without.
  uint64_t leader();
  /// Proposes to whoever leads until it is acknowledged. Its revision.
  uint64_t write(command wish);
  /// Every open replica has applied `revision`, and all say the same.
  bool agree(uint64_t revision);
  /// Changes the members, at whoever leads.
  result<void> change(member_change::kind what, uint64_t n, uint64_t disk = 0);
  bool has(uint64_t n, member_role role);

  /// For messages of failed tests.
  std::string describe();

  memory_network network;
  uint32_t hold_version = 0; ///< of those that are opened from now on

private:
  scratch_folder folder_;
  const uint64_t voters_;
  const uint32_t keep_log_;
  std::map<uint64_t, std::unique_ptr<replica>> replicas_;
};

} // namespace novacron
