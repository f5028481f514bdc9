// Which nodes there are, and what they are among the replicas.

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// The first `command_batch::cluster_version` under which a node stays that a migration needs.
constexpr uint32_t migrations_need_since = 4;

} // namespace

std::string batch_applier::removed_for_ever(const node_record& node) {
  return "node " + node.name
         + " was removed from the cluster, and its certificate counts no more; "
           "to use the machine again, let it join as a new node, with an empty folder";
}

std::optional<batch_applier::outcome> batch_applier::name_conflict(const node_record& node) const {
  for (const auto& [id, other] : state_.nodes_)
    if (id != node.id && other.name == node.name && other.wish != member_wish::removed)
      return refuse(command_errc::name_taken, "another node, " + to_string(id) + ", is called "
                                                  + node.name + "; choose another name");
  return {};
}

std::optional<batch_applier::outcome> batch_applier::still_needed(const node_record& node) const {
  const auto count = std::ranges::count_if(state_.vms_, [&](const auto& each) {
    return each.second.host == node.id && each.second.actual != actual_state::gone;
  });
  if (count != 0)
    return refuse(command_errc::node_in_use, "node " + node.name + " is a host with "
                                                 + std::to_string(count)
                                                 + " vms; move or delete them first");
  if (batch_.cluster_version < migrations_need_since)
    return {};
  // What it has to do for their end nobody else can do; nor is it ever heard of again.
  for (const auto& [vm, migrations] : state_.not_over_)
    for (const auto& id : migrations)
      if (const auto& x = state_.migrations_.at(id); x.from == node.id || x.to == node.id)
        return refuse(command_errc::node_in_use,
                      "node " + node.name
                          + " takes part in a migration that isn't over; wait for its end, or, if "
                            "its host is surely off, say so: novacron host fenced "
                          + node.name);
  return {};
}

void batch_applier::end_host_of(node_id node) {
  if (auto lease = state_.leases_.find(node); lease != state_.leases_.end()) {
    auto ended = lease->second;
    ended.expired = true;
    add(ended);
  }
  if (auto host = state_.find(node))
    edit(*host, [](host_record& x) {
      x.state = host_state::gone;
      x.awaited = false;
    });
}

batch_applier::outcome batch_applier::apply(const register_node& command) {
  const auto& said = command.node;
  if (said.id.nil() || said.name.empty())
    return refuse(command_errc::unknown_node, "a node cannot register without an id and a name");
  auto known = state_.find_node(said.id);
  if (known && known->wish == member_wish::removed)
    return refuse(command_errc::node_removed, removed_for_ever(*known));
  if (auto conflict = name_conflict(said))
    return *conflict;
  if (known && known->disk != 0 && said.disk != 0 && known->disk != said.disk)
    return refuse(command_errc::other_disk,
                  "the disk of node " + known->name
                      + " was emptied or exchanged, and what it promised is forgotten: it can't "
                        "come back under its old id; let a new node join, then: novacron node "
                        "replace "
                      + known->name + " NEW");
  auto node = known ? *known : node_record{};
  node.id = said.id;
  node.name = said.name;
  node.roles = said.roles;
  node.mesh_address = said.mesh_address;
  if (said.disk != 0)
    node.disk = said.disk;
  if (!known)
    add(std::move(node));
  else if (node != *known)
    edit(*known, [&](node_record& x) { x = node; });
  return {};
}

batch_applier::outcome batch_applier::apply(const wish_member& command) {
  auto node = state_.find_node(command.node);
  if (!node)
    return refuse(command_errc::unknown_node,
                  "there is no node " + to_string(command.node) + "; see `novacron node ls`");
  const auto wish = command.wish;
  if (node->wish == member_wish::removed) {
    if (wish == member_wish::removed || wish == member_wish::leaving)
      return {};
    return refuse(command_errc::node_removed, removed_for_ever(*node));
  }
  if (wish == member_wish::unsaid)
    return refuse(command_errc::wrong_state, "say what the node is to be: standby or voter");
  const bool leaves = wish == member_wish::leaving || wish == member_wish::removed;
  if (!leaves && std::ranges::find(node->roles, node_role::controller) == node->roles.end())
    return refuse(command_errc::wrong_state,
                  "node " + node->name + " is no controller; its certificate would have to say so");
  if (leaves)
    if (auto needed = still_needed(*node))
      return *needed;
  if (!command.replaces.nil()) {
    auto old = state_.find_node(command.replaces);
    if (!old || old->id == node->id || wish != member_wish::voter)
      return refuse(command_errc::unknown_node, "there is no node that could be replaced by node "
                                                    + node->name + "; see `novacron node ls`");
    if (auto needed = still_needed(*old))
      return *needed;
  }
  if (node->wish != wish || node->replaces != command.replaces)
    edit(*node, [&](node_record& x) {
      x.wish = wish;
      x.replaces = command.replaces;
    });
  if (wish == member_wish::removed)
    end_host_of(command.node);
  return {};
}

batch_applier::outcome batch_applier::apply(const recover_cluster& command) {
  std::vector<node_id> lost;
  for (const auto& [id, node] : state_.nodes_)
    if (id != command.survivor && node.wish != member_wish::removed
        && std::ranges::find(node.roles, node_role::controller) != node.roles.end())
      lost.push_back(id);
  for (const auto& id : lost)
    edit(state_.nodes_.at(id), [](node_record& x) {
      x.wish = member_wish::removed;
      x.replaces = {};
    });
  if (auto survivor = state_.find_node(command.survivor))
    edit(*survivor, [](node_record& x) {
      x.wish = member_wish::voter;
      x.replaces = {};
    });
  std::vector<node_id> hosts;
  for (const auto& [id, host] : state_.hosts_)
    if (host.state != host_state::gone && host.state != host_state::fenced)
      hosts.push_back(id);
  std::ranges::sort(hosts);
  for (const auto& id : hosts)
    edit(state_.hosts_.at(id), [](host_record& x) {
      x.awaited = true;
      x.boot = {}; // so that its agent has to register again
      x.state = host_state::unreachable;
    });
  return {};
}

bool batch_applier::knows_inventories() const {
  return batch_.cluster_version >= inventories_since;
}

bool batch_applier::hosts_are_awaited() const {
  return std::ranges::any_of(state_.hosts_,
                             [](const auto& each) { return each.second.is_awaited(); });
}

std::optional<batch_applier::outcome>
batch_applier::awaits_hosts(const command_body& command) const {
  const auto* request = std::get_if<request_state>(&command);
  const auto* vm = request ? state_.find(request->vm) : nullptr;
  const auto* migration = vm ? state_.find(vm->migration) : nullptr;
  // Its guest may run at the destination already, by a decision that is lost.
  const bool decides = knows_inventories()
                       && (std::holds_alternative<decide_migration>(command)
                           || (migration && migration->undecided()));
  const bool places = std::holds_alternative<create_vm>(command)
                      || std::holds_alternative<reserve_migration>(command)
                      || std::holds_alternative<replace_vm>(command)
                      || std::holds_alternative<move_vm>(command)
                      || (request && request->requested == requested_state::running);
  if (!(places || decides) || !hosts_are_awaited())
    return {};
  std::set<std::string> names;
  for (const auto& [id, host] : state_.hosts_)
    if (host.is_awaited())
      names.insert(host.name);
  std::string list;
  for (const auto& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return refuse(command_errc::hosts_awaited,
                "the cluster was recovered, and nobody knows what runs on " + list
                    + "; start them, or fence those that are lost");
}

epoch batch_applier::next_epoch(const epoch& present) const {
  return epoch{std::max(present.timeline, batch_.timeline), present.number}.next();
}

} // namespace novacron
