#pragma once

#include "actors/peer/hello_proof.hpp"
#include "unit/actors/test_authority.hpp"

#include <map>
#include <memory>

namespace novacron::sim {

/// The nodes' certificates. Making one takes longer than many a schedule, so all
/// schedules of a campaign share them; nothing in a schedule depends on their bytes.
class identities {
public:
  std::shared_ptr<const mesh_identity> of(node_id node, const std::vector<node_role>& roles) {
    auto& known = known_[node];
    if (!known) {
      auto own = authority_.issue(node, roles);
      auto made = std::make_shared<mesh_identity>();
      made->node = node;
      made->name = "node-" + std::to_string(node.value.low);
      made->cluster = cluster_id{{7, 7}};
      made->certificate = std::move(own.certificate);
      made->key = std::move(own.key);
      made->authority = authority_.certificate();
      known = std::move(made);
    }
    return known;
  }

private:
  test_authority authority_;
  std::map<node_id, std::shared_ptr<const mesh_identity>> known_;
};

} // namespace novacron::sim
