#pragma once

#include "fleet.hpp"
#include "machine.hpp"
#include "node.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace novacron::sim {

/// A host: its machine, and the agent's process on it, which may be down, frozen,
/// or cut off while guests, hypervisor and fencer go on.
class host_node final : public node {
public:
  host_node(fleet& with, uint64_t number);
  ~host_node() override;

  machine box;

  [[nodiscard]] uint64_t number() const override { return number_; }
  [[nodiscard]] bool up() const override { return agent_ != nullptr; }
  void start() override;
  /// The agent ends.
  void crash() override;
  /// The agent is stopped, and does nothing until the time has passed.
  void freeze(uint64_t for_ms);
  void thaw();
  [[nodiscard]] bool frozen() const { return frozen_; }
  /// The machine goes dark; guests, agent and fencer with it.
  void power_loss();
  void restart_agent_within(uint64_t most_ms);

  /// Null while it is down.
  [[nodiscard]] class host_agent* agent() { return agent_.get(); }
  [[nodiscard]] uint64_t life() const { return life_; }
  /// Runs `call` in the agent's process: at once, after it was thawed, or never
  /// if it has ended since.
  void deliver(uint64_t life, std::function<void()> call);
  [[nodiscard]] std::string describe() const;

private:
  fleet& with_;
  const uint64_t number_;
  uint64_t life_ = 0;
  bool frozen_ = false;
  uint64_t freezes_ = 0;
  std::deque<std::function<void()>> held_back_; ///< while frozen
  std::unique_ptr<host_agent> agent_;
};

} // namespace novacron::sim
