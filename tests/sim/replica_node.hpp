#pragma once

#include "checker.hpp"
#include "disk.hpp"
#include "network.hpp"
#include "node.hpp"
#include "replica_image.hpp"
#include "storage/consensus/membership_changes.hpp"
#include "storage/local/barriers.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace novacron::sim {

struct replica_settings {
  uint64_t election_ms = 500;
  uint64_t heartbeat_ms = 100;
  uint64_t compact_every = 40; ///< entries
  uint64_t keep_log = 20;
  uint64_t snapshot_chunks = 4;
  raft_guards guards;
  bool sync_votes = true; ///< a vote is durable before it is told
};

/// Whoever lives in a replica's process, and dies with it.
class replica_owner {
public:
  virtual ~replica_owner() = default;
  virtual void started() = 0;
  virtual void ended() = 0;
  /// Called before the proposal that made the entry hears of it.
  virtual void applied(uint64_t index, const command_batch& batch, const applied_batch& done) = 0;
  virtual void restored(uint64_t index) = 0;
};

/// What all nodes of a schedule share.
struct world {
  scheduler time;
  chance luck;
  probes seen;
  checker check;
  network net;
  std::map<uint64_t, class replica_node*> replicas; ///< by number
  uint32_t timeline = 1; ///< of the group; who had an earlier one never comes back

  world(uint64_t seed, network_faults faults) : luck{seed}, net{time, luck, seen, faults} {
    // nop
  }
};

/// A replica: the real consensus core, the real state machine, and a disk that
/// forgets what was not synced.
class replica_node final : public node,
                           public raft_transport,
                           public raft_persistence,
                           public raft_state_machine {
public:
  replica_node(world& all, uint64_t number, replica_settings settings, disk_faults faults)
      : all_{all}, number_{number}, settings_{settings}, disk_{all.time, all.luck, all.seen,
                                                               faults} {
    all_.replicas[number] = this;
  }

  /// The first entry of the group's log; else it waits to be added.
  void found(const membership& members);

  [[nodiscard]] uint64_t number() const override { return number_; }
  [[nodiscard]] bool up() const override { return core_ != nullptr; }
  void start() override;
  void crash() override;

  /// The last index of its disk's log, and the last up to which it is what was applied.
  [[nodiscard]] uint64_t stored_index() const { return image_.last(); }
  [[nodiscard]] uint64_t held_index() const;
  /// While it is down: an operator recovers the cluster from its disk. Gives the state that
  /// the new timeline begins with.
  using replay_listener = std::function<void(uint64_t index, const machine_image::applied& done)>;
  const machine_image& recover(const command_batch& first, const replay_listener& replayed);

  /// The schedule is over: counts what its core's guards did.
  void stop() {
    if (core_)
      collect_hits();
  }

  sim::disk& disk() { return disk_; }
  void own(replica_owner* who) { owner_ = who; }
  /// Another way to other replicas than the network itself. Empty: none.
  using way = std::function<void(uint64_t to, const raft_message_body& message)>;
  void speak_over(way how) { way_ = std::move(how); }
  /// What came over such a way.
  void receive(uint64_t from, const raft_message_body& message);
  /// For people who look into a schedule that failed.
  [[nodiscard]] std::string describe() const;

  /// Only while it is up.
  [[nodiscard]] raft_core& core() { return *core_; }
  [[nodiscard]] const machine_image& machine() const { return machine_; }
  [[nodiscard]] bool leads() const { return core_ && core_->leader(); }
  /// While it leads: has this member answered of late?
  [[nodiscard]] bool hears(uint64_t member) const;

  /// What ends a proposal: its index; or nothing, its outcome is unknown.
  using proposal_callback = std::function<void(std::optional<uint64_t>)>;
  /// False: it doesn't lead; `done` is not called.
  bool propose(log_entry::bytes command, proposal_callback done);
  void change(const membership_change& wish, membership_changes::callback done);
  bool hand_over(uint64_t to);
  /// Answers once everything acknowledged before is applied here.
  void barrier(barrier_callback done);

private:
  // -- what the core asks for --------------------------------------------------------

  void send(uint64_t to, raft_message_body message) override;
  void store_vote(uint64_t term, uint64_t vote) override;
  void append(uint64_t first, std::span<const log_entry> entries) override;
  void truncate(uint64_t from) override;
  void install(const raft_snapshot& snapshot) override;
  std::vector<log_entry> read(uint64_t first, size_t most) override;
  void apply(uint64_t index, const log_entry& entry) override;
  void dropped(uint64_t index) override;
  void leads(bool leader) override;
  std::optional<offered_snapshot> snapshot() override;
  void fetch(uint64_t from, const raft_snapshot& snapshot) override;
  void restore(const raft_snapshot& snapshot) override;

  // -- its own ------------------------------------------------------------------------

  void write(std::function<void()> batch, std::function<void()> done);
  /// A turn of the replica's thread: `what` happens to the core, then what follows.
  void turn(const std::function<void()>& what);
  void after_turn();
  void arm();
  void compact();
  void ask_for_chunk(uint64_t attempt, uint64_t chunk);
  void end_fetch(bool complete);
  void fail_from(uint64_t index);
  void collect_hits();
  [[nodiscard]] std::function<void()> while_alive(std::function<void()> call);

  world& all_;
  const uint64_t number_;
  const replica_settings settings_;
  sim::disk disk_;
  replica_image image_; ///< survives a crash
  replica_owner* owner_ = nullptr;
  way way_;

  // What dies with the process.
  uint64_t life_ = 0;
  std::unique_ptr<raft_core> core_;
  std::unique_ptr<membership_changes> changes_;
  std::unique_ptr<read_barriers> barriers_;
  machine_image machine_;
  std::map<uint64_t, proposal_callback> waiting_; ///< by index
  uint64_t armed_for_ = 0;
  bool doomed_ = false; ///< its disk is full: it ends behind this turn, and says nothing more
  bool lost_lead_ = false;
  std::map<std::string, std::shared_ptr<const machine_image>> offers_;
  std::string newest_offer_;

  struct fetch_under_way {
    uint64_t from = 0;
    raft_snapshot snapshot;
    uint64_t attempt = 0;
    uint64_t failures = 0;
    uint64_t chunk = 0; ///< the next one
  };
  std::optional<fetch_under_way> fetch_;
  uint64_t attempts_ = 0;
  std::shared_ptr<const machine_image> staged_;
};

} // namespace novacron::sim
