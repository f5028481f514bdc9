#pragma once

#include "feed_source.hpp"
#include "fleet.hpp"
#include "node_clock.hpp"
#include "replica_node.hpp"
#include "storage/local/log_clock.hpp"
#include "storage/replica.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace novacron::sim {

/// A controller's disk and machine, as its replica sees them: what outlives the
/// process.
struct replica_home {
  replica_node& node;
  feed_source& changes;
  const node_clock& clock;
  bool& locked; ///< the database: one replica at a time has it open
  /// The process ends: its replica can't write any more.
  std::function<void()> died;
};

/// The replica of a simulated process: the engine's interface over the simulated
/// node, whose core, state machine and disk layer 1 uses, too. What is asked of it
/// happens after the asking actor's turn, as the real one's own thread would; what
/// replicas say to each other goes over the transport that it is opened with.
/// Closed, it loses what its disk hadn't synced, as if the process had ended.
class simulated_replica final : public replica, public replica_owner {
public:
  simulated_replica(fleet& with, replica_home home, std::shared_ptr<replica_transport> transport);
  ~simulated_replica() override;

  void propose(std::vector<command> commands,
               std::function<void(std::vector<command_outcome>)> done) override;
  void read_barrier(std::function<void(result<uint64_t>)> done) override;
  void on_applied(std::function<void(uint64_t revision)> listener) override;
  result<feed_listing> list(const list_request& request) override;
  result<feed_changes> changes_after(const pull_request& request) override;
  [[nodiscard]] replica_status status() const override;
  void receive(node_id from, std::span<const std::byte> message) override;
  result<snapshot_chunk> read_snapshot(const snapshot_chunk_request& request) override;
  void change_member(const member_change& wish, std::function<void(result<void>)> done) override;
  void hand_over(node_id to) override;
  [[nodiscard]] std::vector<lease_record> leases() const override;
  [[nodiscard]] std::vector<node_record> nodes() const override;
  result<backup_info> back_up(const std::filesystem::path& folder, uint32_t keep,
                              const std::stop_token& stop) override;

  void started() override {}
  void ended() override;
  void applied(uint64_t index, const command_batch& batch, const applied_batch& done) override;
  void restored(uint64_t index) override { home_.changes.restart_at(index); }

private:
  /// On the replica's own thread, while there is one.
  void later(std::function<void()> call);
  void change(const member_change& wish, const std::function<void(result<void>)>& done);
  void submit(const std::vector<command>& commands,
              const std::function<void(std::vector<command_outcome>)>& done);

  fleet& with_;
  const replica_home home_;
  const std::shared_ptr<replica_transport> transport_;
  const std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
  log_clock stamps_;
  std::function<void(uint64_t)> listener_;
  std::map<uint64_t, std::vector<command_outcome>> outcomes_of_; ///< of what is proposed here
};

} // namespace novacron::sim
