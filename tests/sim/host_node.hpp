#pragma once

#include "any_host.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace novacron::sim {

/// A host whose agent is made of the pure states.
class host_node final : public any_host {
public:
  host_node(fleet& with, uint64_t number);
  ~host_node() override;

  [[nodiscard]] bool up() const override { return agent_ != nullptr; }
  void start() override;
  void crash() override;
  void freeze(uint64_t for_ms) override;
  void thaw() override;
  [[nodiscard]] bool frozen() const override { return frozen_; }
  void kill_some_actor() override;

  /// Null while it is down.
  [[nodiscard]] class host_agent* agent() { return agent_.get(); }
  /// Runs `call` in the agent's process: at once, after it was thawed, or never
  /// if it has ended since.
  void deliver(uint64_t life, std::function<void()> call);

private:
  bool frozen_ = false;
  uint64_t freezes_ = 0;
  std::deque<std::function<void()>> held_back_; ///< while frozen
  std::unique_ptr<host_agent> agent_;
};

} // namespace novacron::sim
