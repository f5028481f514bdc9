#pragma once

#include "actor_world.hpp"
#include "node_clock.hpp"
#include "runtime/node/node_actors.hpp"

#include <memory>
#include <string>
#include <vector>

namespace novacron::sim {

/// A node whose process runs the actors of the real program, put together by the
/// program's own tree. May be up, down or frozen.
class node_process {
public:
  /// `clock` outlives it.
  node_process(actor_world& all, uint64_t number, std::vector<node_role> roles,
               const node_clock& clock);
  virtual ~node_process();
  node_process(const node_process&) = delete;
  node_process& operator=(const node_process&) = delete;

  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] bool up() const { return process_ != nullptr; }
  [[nodiscard]] bool frozen() const { return frozen_; }
  /// Counts its processes.
  [[nodiscard]] uint64_t life() const { return process_ ? process_->life() : 0; }
  void start();
  /// The process ends without a word; `dark`: with its machine.
  void crash(bool dark = false);
  void freeze();
  void thaw();
  /// Some actor of it ends, as by a fault.
  void kill_some_actor();
  /// It ends itself, and systemd starts it again.
  void give_up();

  /// Null while it is down.
  [[nodiscard]] node_parts* parts() { return parts_.get(); }
  /// What its folder says of the other nodes.
  [[nodiscard]] const node_roster& roster() const { return *roster_; }
  [[nodiscard]] process* running() { return process_.get(); }

protected:
  /// Fills in what this kind of node has, before its actors are made.
  virtual void furnish(node_parts& parts, node_config& config) = 0;
  /// The controllers that its file names.
  [[nodiscard]] virtual const std::vector<address>& listed() const { return all_.controllers; }
  /// False: it can't start now. Else it will.
  virtual bool may_start() { return true; }
  /// The process has ended; nothing of it runs any more.
  virtual void ended() {}
  /// A handle on this node's log.
  [[nodiscard]] logger log_of(uint64_t node) const;

  actor_world& all_;

private:
  void kill_in_the_tree();

  const uint64_t number_;
  const std::vector<node_role> roles_;
  const node_clock& clock_;
  bool frozen_ = false;
  bool ending_ = false;
  std::shared_ptr<node_parts> parts_;
  const std::shared_ptr<node_roster> roster_ = std::make_shared<node_roster>();
  std::set<caf::actor_id> spared_; ///< whom no fault ends alone
  caf::actor mesh_;
  caf::actor root_;
  std::unique_ptr<process> process_;
};

/// A node that only passes requests on: what a gateway is, without its HTTP edge.
class gateway_process final : public node_process {
public:
  gateway_process(actor_world& all, uint64_t number, const node_clock& clock)
      : node_process{all, number, {node_role::gateway}, clock} {
    // nop
  }

private:
  void furnish(node_parts& parts, node_config&) override {
    parts.view = std::make_shared<view_table>();
  }
};

} // namespace novacron::sim
