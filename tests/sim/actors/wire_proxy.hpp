#pragma once

#include "wires.hpp"

#include <caf/actor_proxy.hpp>

namespace novacron::sim {

/// What an actor of one process is to another one, as long as their connection
/// stands: has its id and its node, and takes messages to it.
class wire_proxy final : public caf::actor_proxy {
public:
  wire_proxy(caf::actor_config& config, wires& over, uint64_t here, uint64_t there)
      : actor_proxy{config}, wires_{over}, here_{here}, there_{there} {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    if (!ended_)
      wires_.transmit(here_, there_, id(), std::move(what));
  }

  void kill_proxy(caf::execution_unit* host, caf::error reason) override {
    ended_ = true;
    cleanup(std::move(reason), host);
  }

private:
  wires& wires_;
  const uint64_t here_; ///< lives of processes
  const uint64_t there_;
  bool ended_ = false;
};

} // namespace novacron::sim
