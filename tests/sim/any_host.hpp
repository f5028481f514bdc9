#pragma once

#include "fleet.hpp"
#include "machine.hpp"
#include "node.hpp"

#include <string>

namespace novacron::sim {

/// A host: its machine, and the agent's process on it, which may be down, frozen,
/// or cut off while guests, hypervisor and fencer go on.
class any_host : public node {
public:
  any_host(fleet& with, uint64_t number);

  machine box;

  [[nodiscard]] uint64_t number() const final { return number_; }
  /// The agent is stopped, and does nothing until the time has passed.
  virtual void freeze(uint64_t for_ms) = 0;
  virtual void thaw() = 0;
  [[nodiscard]] virtual bool frozen() const = 0;
  /// One of the agent's actors ends, and its supervisor starts it again.
  virtual void kill_some_actor() = 0;
  /// The machine goes dark; guests, agent and fencer with it.
  void power_loss();
  void restart_agent_within(uint64_t most_ms);

  /// Counts the agent's lives and deaths.
  [[nodiscard]] uint64_t life() const { return life_; }
  [[nodiscard]] std::string describe() const;

protected:
  /// The agent ends with its machine.
  virtual void go_dark() { crash(); }

  fleet& with_;
  const uint64_t number_;
  uint64_t life_ = 0;
};

} // namespace novacron::sim
