#include "messages/commands.hpp"

#include "messages/names.hpp"

namespace novacron {

namespace {

struct version_of_body {
  uint32_t operator()(const create_vm& x) const { return x.spec.networks.empty() ? 1 : 8; }
  uint32_t operator()(const replace_vm&) const { return 3; }
  uint32_t operator()(const fence_host&) const { return 3; }
  uint32_t operator()(const maintain_host& x) const {
    return x.wish == maintenance_wish::evacuate ? 6 : 3;
  }
  uint32_t operator()(const start_rebalance&) const { return 3; }
  uint32_t operator()(const move_vm&) const { return 3; }
  uint32_t operator()(const note_move&) const { return 3; }
  uint32_t operator()(const cancel_task&) const { return 3; }
  uint32_t operator()(const register_node&) const { return 3; }
  uint32_t operator()(const wish_member&) const { return 3; }
  uint32_t operator()(const make_join_token&) const { return 3; }
  uint32_t operator()(const use_join_token&) const { return 3; }
  uint32_t operator()(const recover_cluster&) const { return 3; }
  uint32_t operator()(const compare_states&) const { return 4; }
  uint32_t operator()(const confirm_inventory&) const { return 5; }
  uint32_t operator()(const reserve_migration& x) const {
    if (x.terms.tries != 1)
      return 9;
    if (x.terms.priority != migration_priority::normal)
      return 7;
    return x.terms == migration_terms{} ? 1 : 6;
  }
  template <class Older>
  uint32_t operator()(const Older&) const {
    return 1;
  }
};

} // namespace

uint32_t least_version(const command_body& x) {
  return std::visit(version_of_body{}, x);
}

std::string to_string(command_errc x) {
  return std::string{word_of(x)};
}

} // namespace novacron
