#include "host_node.hpp"

#include "host_agent.hpp"

#include <utility>

namespace novacron::sim {

host_node::host_node(fleet& with, uint64_t number) : any_host{with, number} {
  // nop
}

host_node::~host_node() = default;

void host_node::start() {
  if (agent_ || !box.powered())
    return;
  ++life_;
  box.start_fencer(); // attaches to it, or starts one
  agent_ = std::make_unique<host_agent>(with_, *this);
  agent_->begin();
}

void host_node::crash() {
  if (!agent_)
    return;
  with_.all.check.trace(21 + number_ * 31 + with_.all.time.now());
  if (!box.driver->guests().empty())
    with_.all.seen.hit(probe::agent_died_beside_guests);
  ++life_;
  frozen_ = false;
  held_back_.clear();
  agent_.reset();
  box.driver->connection_lost();
}

void host_node::freeze(uint64_t for_ms) {
  if (!agent_ || frozen_)
    return;
  frozen_ = true;
  with_.all.time.after(for_ms, [this, which = ++freezes_] {
    if (which == freezes_)
      thaw();
  });
}

void host_node::thaw() {
  if (!frozen_)
    return;
  ++freezes_;
  frozen_ = false;
  if (const auto& lease = agent_->logic().lease();
      lease.revision() != 0 && !lease.held(box.clock.boot_time()))
    with_.all.seen.hit(probe::agent_frozen_past_deadline);
  with_.all.check.trace(22 + number_ * 31 + with_.all.time.now());
  while (!frozen_ && !held_back_.empty()) {
    auto call = std::move(held_back_.front());
    held_back_.pop_front();
    call(); // may end the process, and clear the rest
  }
}

void host_node::kill_some_actor() {
  if (agent_)
    agent_->kill_some_actor();
}

void host_node::deliver(uint64_t life, std::function<void()> call) {
  if (!agent_ || life != life_)
    return;
  if (frozen_)
    held_back_.push_back([this, life, what = std::move(call)] {
      if (agent_ && life == life_)
        what();
    });
  else
    call();
}

} // namespace novacron::sim
