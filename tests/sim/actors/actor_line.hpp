#pragma once

#include "api_line.hpp"
#include "node_process.hpp"

#include <vector>

namespace novacron::sim {

/// A caller's way to the cluster through the real actors: each call goes to the
/// frontend, or the feed, of one of the processes that serve the API.
class actor_line final : public api_line {
public:
  actor_line(actor_world& all, const std::vector<node_process*>& doors) : all_{all}, doors_{doors} {
    // nop
  }

  void propose(const proposal& what, uint64_t patience_ms, proposal_then then) override;
  void list(const list_request& what, listing_then then) override;

private:
  actor_world& all_;
  const std::vector<node_process*>& doors_;
};

/// Asks the frontend of this process; `then` hears the answer, or nothing, between
/// two actors' turns.
void propose_at(actor_world& all, node_process& where, const proposal& what, uint64_t patience_ms,
                api_line::proposal_then then);

/// Asks a process how the replicas stand; as above.
void status_at(actor_world& all, node_process& where, uint64_t patience_ms,
               std::function<void(const std::optional<group_status>&)> then);

} // namespace novacron::sim
