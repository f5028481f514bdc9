#include "member_operator.hpp"

#include "actor_line.hpp"
#include "actors/gateway/vote_rules.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t patience_ms = 3'000;

bool votes(const group_status& status, node_id node) {
  return std::ranges::any_of(status.members,
                             [&](const auto& each) { return each.node == node && each.voter; });
}

std::string title_of(node_id node) {
  return "node-" + std::to_string(fleet::number_of(node));
}

} // namespace

void member_operator::wish_something(uint64_t voters) {
  auto* at = doors_[all_.with.all.luck.below(doors_.size())];
  status_at(all_, *at, patience_ms,
            [this, number = at->number(), voters](const std::optional<group_status>& status) {
              auto there = std::ranges::find(doors_, number, &node_process::number);
              if (status && status->by_leader() && there != doors_.end())
                choose(**there, *status, voters);
            });
}

std::vector<node_id> member_operator::present(node_process& at) const {
  std::vector<node_id> some;
  if (!at.parts() || !at.parts()->view->complete())
    return some;
  for (const auto& each : at.parts()->view->nodes())
    if (std::ranges::find(each.roles, node_role::controller) != each.roles.end()
        && all_.with.all.replicas.contains(fleet::number_of(each.id))
        && each.wish != member_wish::leaving && each.wish != member_wish::removed
        && !leaving_.contains(each.id))
      some.push_back(each.id);
  return some;
}

void member_operator::choose(node_process& at, const group_status& status, uint64_t voters) {
  auto& luck = all_.with.all.luck;
  const auto nodes = present(at);
  if (nodes.size() < 2)
    return;
  const auto node = nodes[luck.below(nodes.size())];
  const auto other = nodes[luck.below(nodes.size())];
  const auto voting = std::ranges::count_if(status.members, &group_member::voter);
  // Groups that can bear a loss are what is to be shown, mostly.
  const bool spare = static_cast<uint64_t>(voting) > voters || luck.below(4) == 0;
  switch (luck.below(4)) {
  case 0:
    wish(at, status, {node, member_wish::voter, {}});
    break;
  case 1:
    wish(at, status, {node, spare ? member_wish::standby : member_wish::voter, {}});
    break;
  case 2:
    if (spare || !votes(status, node))
      wish(at, status, {node, member_wish::leaving, {}});
    break;
  default:
    if (other != node && !votes(status, other))
      wish(at, status, {other, member_wish::voter, node});
  }
}

void member_operator::wish(node_process& at, const group_status& status, const wish_member& what) {
  auto& all = all_.with.all;
  auto after = status;
  auto why = vote_objection(after, what.node, what.wish, title_of);
  if (why.empty() && !what.replaces.nil()) {
    after.members = members_after(after.members, what.node, what.wish);
    why = vote_objection(after, what.replaces, member_wish::leaving, title_of);
  }
  all.check.tell(all.time.now(), [&] {
    return "wish at node " + std::to_string(at.number()) + ": " + title_of(what.node) + " "
           + to_string(what.wish)
           + (what.replaces.nil() ? "" : " instead of " + title_of(what.replaces)) + " " + why;
  });
  if (!why.empty()) {
    all.seen.hit(probe::change_refused);
    return;
  }
  if (what.wish == member_wish::leaving)
    leaving_.insert(what.node);
  if (!what.replaces.nil())
    leaving_.insert(what.replaces);
  propose_at(all_, at, {{command{what, {}}}}, patience_ms,
             [](const std::optional<outcomes>&) { /* the log knows */ });
}

} // namespace novacron::sim
