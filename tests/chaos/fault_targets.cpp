#include "fault_targets.hpp"

#include "lab.hpp"

#include <numeric>

namespace novacron::chaos {

namespace {

using node_list = std::vector<int>;

node_list list_of(const std::array<int, 3>& nodes) {
  return {nodes.begin(), nodes.end()};
}

node_list one_of(const node_list& nodes, std::mt19937_64& random) {
  return {nodes[std::uniform_int_distribution<size_t>{0, nodes.size() - 1}(random)]};
}

node_list simulated_hosts(bool real) {
  auto hosts = list_of(lab::hosts);
  if (real)
    std::erase(hosts, lab::real_node);
  return hosts;
}

} // namespace

node_list nodes_hit(fault_target who, int leader, bool real, std::mt19937_64& random) {
  node_list all(lab::nodes);
  std::iota(all.begin(), all.end(), 1);
  auto followers = list_of(lab::controllers);
  std::erase(followers, leader);
  switch (who) {
  case fault_target::leader:
    return leader != 0 ? node_list{leader} : one_of(list_of(lab::controllers), random);
  case fault_target::follower:
    return one_of(followers, random);
  case fault_target::controller:
    return one_of(list_of(lab::controllers), random);
  case fault_target::controllers:
    return list_of(lab::controllers);
  case fault_target::gateway:
    return one_of(list_of(lab::gateways), random);
  case fault_target::real:
    return real ? node_list{lab::real_node} : one_of(list_of(lab::hosts), random);
  case fault_target::simulated:
  case fault_target::most_ha:
    return one_of(simulated_hosts(real), random);
  case fault_target::small_disk:
    return {lab::small_disk_node};
  case fault_target::all:
    return all;
  case fault_target::any:
    break;
  }
  return one_of(all, random);
}

} // namespace novacron::chaos
