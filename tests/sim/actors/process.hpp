#pragma once

#include "node_clock.hpp"
#include "random.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <cstdint>
#include <optional>
#include <set>

namespace novacron::sim {

/// A node's process: an actor system of its own. Its actors handle one message at
/// a time, each when the schedule says so; its timers go by the node's clock.
class process {
public:
  /// `life` tells it from all other processes of the schedule, also of this node.
  process(uint64_t node, uint64_t life, const node_clock& clock);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  /// All of its actors must have ended, see `end`.
  ~process();

  [[nodiscard]] uint64_t node() const { return node_; }
  [[nodiscard]] uint64_t life() const { return life_; }
  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] caf::node_id name() { return system_.node(); }

  /// Some actor has a message to handle.
  [[nodiscard]] bool ready() const { return !coordinator_.jobs.empty(); }
  /// One of those actors, any of them, handles its next message. Yields its id.
  caf::actor_id step(chance& luck);
  /// Its clock shows what the node's does: timers that are due send their messages.
  void pass();
  /// Until the next timer, by its own clock; nothing: there is none.
  [[nodiscard]] std::optional<uint64_t> next_timer_ms() const;

  /// Kills some actor that has a message to handle, but none of `spared`. False:
  /// there was none.
  bool kill_some(chance& luck, const std::set<caf::actor_id>& spared);
  /// The process has ended: whatever still happens in it must reach nobody. Lets its
  /// actors, which were killed, go; false: some are still there.
  bool end();

private:
  struct config : caf::actor_system_config {
    config();
  };

  const uint64_t node_;
  const uint64_t life_;
  const node_clock& clock_;
  config config_;
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& coordinator_;
};

} // namespace novacron::sim
