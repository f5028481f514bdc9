#include "controller_process.hpp"

#include "simulated_replica.hpp"
#include "storage/errors.hpp"
#include "view_check.hpp"

namespace novacron::sim {

controller_process::controller_process(actor_world& all, replica_node& replica,
                                       std::vector<address> told)
    : node_process{all, replica.number(), {node_role::controller}, clock}, clock{all.with.all.time},
      replica_{replica}, told_{std::move(told)}, changes_{all.with.settings.keep_changes} {
  // nop
}

controller_process::~controller_process() {
  crash(true);
}

void controller_process::furnish(node_parts& parts, node_config&) {
  parts.view = std::make_shared<view_table>();
  parts.open_replica
      = [this,
         life = life()](const replica_config& how) -> result<std::unique_ptr<novacron::replica>> {
    if (locked_) // by the one before, whose actor has been killed, and hasn't ended yet
      return make_failure(storage_errc::cannot_open, "the database is locked");
    auto died = [this, life] {
      all_.soon([this, life] {
        if (this->life() == life)
          give_up();
      });
    };
    return std::make_unique<simulated_replica>(
        all_.with, replica_home{replica_, changes_, clock, locked_, died}, how.transport);
  };
}

void controller_process::ended() {
  replica_.crash(); // if its keeper hadn't opened it yet, or hung
}

std::string controller_process::wrong_view(const cluster_state& state) {
  const auto wrong = wrong_in_view(*parts()->view, state);
  return wrong.empty() ? wrong : "the view of node " + std::to_string(number()) + " " + wrong;
}

} // namespace novacron::sim
