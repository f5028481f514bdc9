#include "actors/peer/mesh_rules.hpp"

#include <algorithm>

namespace novacron {

namespace {

struct rule {
  const node_identity& who;

  bool operator()(const host_report& x) const { return is_host(x.host); }
  bool operator()(const register_host& x) const { return is_host(x.host.id); }
  bool operator()(const renew_lease& x) const { return is_host(x.host); }
  bool operator()(const confirm_inventory& x) const { return is_host(x.host); }
  bool operator()(const decide_migration&) const {
    return who.has(node_role::host) || who.has(node_role::gateway);
  }
  bool operator()(const expire_lease&) const { return false; }
  bool operator()(const replace_vm&) const { return false; }
  bool operator()(const register_node& x) const {
    return x.node.id == who.node && x.node.roles == who.roles;
  }
  bool operator()(const wish_member& x) const {
    return who.has(node_role::gateway) && x.wish != member_wish::removed;
  }
  bool operator()(const recover_cluster&) const { return false; }
  bool operator()(const barrier&) const { return true; }
  template <class ByUsers>
  bool operator()(const ByUsers&) const {
    return who.has(node_role::gateway);
  }

  [[nodiscard]] bool is_host(node_id host) const {
    return who.has(node_role::host) && host == who.node;
  }
};

} // namespace

bool may_propose(const node_identity& who, const command& what) {
  if (who.has(node_role::controller)) {
    const auto* wish = std::get_if<wish_member>(&what.body);
    return !std::holds_alternative<expire_lease>(what.body)
           && !std::holds_alternative<replace_vm>(what.body)
           && !std::holds_alternative<recover_cluster>(what.body)
           && !(wish && wish->wish == member_wish::removed);
  }
  return std::visit(rule{who}, what.body);
}

bool may_kill(const node_identity& who) {
  return who.has(node_role::controller) || who.has(node_role::gateway);
}

bool may_look(const node_identity& who) {
  return who.has(node_role::controller) || who.has(node_role::gateway);
}

bool may_replicate(const node_identity& who) {
  return who.has(node_role::controller);
}

bool may_migrate(const node_identity& who) {
  return who.has(node_role::host);
}

} // namespace novacron
