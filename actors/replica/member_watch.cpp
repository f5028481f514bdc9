#include "actors/replica/member_watch.hpp"

#include <algorithm>
#include <set>

namespace novacron {

namespace {

constexpr auto try_again = std::chrono::seconds{3};

using change = member_change::kind;

const replica_member* member_of(const replica_status& status, node_id node) {
  auto found = std::ranges::find(status.members, node, &replica_member::node);
  return found == status.members.end() ? nullptr : &*found;
}

const node_record* node_of(const std::vector<node_record>& nodes, node_id id) {
  auto found = std::ranges::find(nodes, id, &node_record::id);
  return found == nodes.end() ? nullptr : &*found;
}

bool is_controller(const node_record& node) {
  return std::ranges::find(node.roles, node_role::controller) != node.roles.end();
}

bool leaves(const node_record& node) {
  return node.wish == member_wish::leaving || node.wish == member_wish::removed;
}

/// The group knows it by another disk than the one that it has now.
bool emptied(const node_record& node, const replica_member& member) {
  return node.disk != 0 && member.disk != 0 && node.disk != member.disk;
}

/// Once the new one votes the old one is wished away, then that is ticked off.
std::optional<member_step> replacement_step(const std::vector<node_record>& nodes,
                                            const node_record& node) {
  const auto* old = node_of(nodes, node.replaces);
  if (!old)
    return {};
  if (!leaves(*old))
    return member_step{wish_member{old->id, member_wish::leaving, {}},
                       "let node " + old->name + " go, which node " + node.name + " replaces"};
  if (old->wish == member_wish::removed)
    return member_step{wish_member{node.id, member_wish::voter, {}},
                       "end the replacement of node " + old->name};
  return {};
}

std::optional<member_step> step_for(const std::vector<node_record>& nodes,
                                    const replica_status& status, const node_record& node) {
  const auto* member = member_of(status, node.id);
  if (leaves(node)) {
    if (member)
      return member_step{member_change{change::remove, node.id, member->disk},
                         "take node " + node.name + " out of the group"};
    if (node.wish == member_wish::leaving)
      return member_step{wish_member{node.id, member_wish::removed, {}},
                         "remove node " + node.name};
    return {};
  }
  if (!is_controller(node))
    return {};
  if (!member) {
    if (node.disk == 0)
      return {};
    return member_step{member_change{change::add, node.id, node.disk},
                       "add node " + node.name + " as a standby"};
  }
  if (emptied(node, *member))
    return {};
  const bool votes = member->role == member_role::voter;
  if (node.wish == member_wish::voter && !votes)
    return member_step{member_change{change::promote, node.id, member->disk},
                       "promote node " + node.name};
  if (node.wish == member_wish::standby && votes)
    return member_step{member_change{change::demote, node.id, member->disk},
                       "demote node " + node.name};
  return votes && !node.replaces.nil() ? replacement_step(nodes, node) : std::nullopt;
}

} // namespace

std::vector<member_step> member_steps(const std::vector<node_record>& nodes,
                                      const replica_status& status) {
  std::vector<member_step> all;
  for (const auto& node : nodes)
    if (auto step = step_for(nodes, status, node))
      all.push_back(std::move(*step));
  return all;
}

std::vector<std::string> member_problems(const std::vector<node_record>& nodes,
                                         const replica_status& status) {
  std::vector<std::string> all;
  for (const auto& node : nodes) {
    const auto* member = member_of(status, node.id);
    const bool wanted = node.wish == member_wish::voter || node.wish == member_wish::standby;
    if (member && emptied(node, *member))
      all.push_back("node " + node.name
                    + " has another disk than the group knows: replace it (novacron node replace "
                    + node.name + " NEW)");
    else if (!member && wanted && node.disk == 0)
      all.push_back("node " + node.name + " has not said yet where its replica is: start it");
  }
  return all;
}

std::optional<member_step> member_watch::next(const std::vector<node_record>& nodes,
                                              const replica_status& status, time_point now) {
  if (running_)
    return {};
  auto steps = member_steps(nodes, status);
  problems_ = member_problems(nodes, status);
  std::set<std::string> present;
  for (const auto& each : steps)
    present.insert(each.words);
  std::erase_if(setbacks_, [&](const auto& each) { return !present.contains(each.first); });
  for (auto& each : steps) {
    auto last = setbacks_.find(each.words);
    if (last != setbacks_.end() && now < last->second.again)
      continue;
    running_ = each.words;
    return std::move(each);
  }
  return {};
}

void member_watch::ended(const std::string& problem, time_point now) {
  if (!running_)
    return;
  if (problem.empty())
    setbacks_.erase(*running_);
  else
    setbacks_.insert_or_assign(*running_, setback{problem, now + try_again});
  running_.reset();
}

void member_watch::forget() {
  running_.reset();
  setbacks_.clear();
  problems_.clear();
}

std::string member_watch::doing() const {
  std::string text = running_.value_or(std::string{});
  auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  for (const auto& [words, each] : setbacks_)
    if (words != running_)
      add(words + ": " + each.problem);
  for (const auto& each : problems_)
    add(each);
  return text;
}

} // namespace novacron
