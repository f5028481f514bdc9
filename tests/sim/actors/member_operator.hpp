#pragma once

#include "messages/peer.hpp"
#include "node_process.hpp"

#include <set>
#include <vector>

namespace novacron::sim {

/// Who promotes, demotes, removes and replaces controllers, as `novacron node` does
/// over the API: asks some node how the group stands, judges by that as the API does,
/// and puts a wish into the log, where the leader finds it. Controllers that have come
/// are added by themselves.
class member_operator {
public:
  member_operator(actor_world& all, const std::vector<node_process*>& doors)
      : all_{all}, doors_{doors} {
    // nop
  }

  /// One wish, any; there should be `voters`, mostly.
  void wish_something(uint64_t voters);

private:
  void choose(node_process& at, const group_status& status, uint64_t voters);
  void wish(node_process& at, const group_status& status, const wish_member& what);
  /// Whose going nobody has wished yet.
  [[nodiscard]] std::vector<node_id> present(node_process& at) const;

  actor_world& all_;
  const std::vector<node_process*>& doors_; ///< any of them takes a wish
  std::set<node_id> leaving_;               ///< will never be members again
};

} // namespace novacron::sim
