#include "actors/gateway/vote_rules.hpp"

#include "storage/replication/membership.hpp"

#include <algorithm>

namespace novacron {

namespace {

std::vector<group_member> voters_of(const std::vector<group_member>& members) {
  std::vector<group_member> out;
  std::ranges::copy_if(members, std::back_inserter(out), &group_member::voter);
  return out;
}

std::string list_of(const std::vector<group_member>& voters, const name_function& name_of) {
  std::vector<std::string> names;
  for (const auto& each : voters)
    names.push_back(name_of(each.node) + (each.online ? " (up)" : " (down)"));
  std::ranges::sort(names);
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0)
      text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string outcome_of(member_wish wish, const std::string& name) {
  if (wish == member_wish::voter)
    return "if node " + name + " voted";
  if (wish == member_wish::standby)
    return "without node " + name + "'s vote";
  return "without node " + name;
}

} // namespace

std::vector<group_member> members_after(std::vector<group_member> members, node_id node,
                                        member_wish wish) {
  auto found = std::ranges::find(members, node, &group_member::node);
  if (wish == member_wish::leaving || wish == member_wish::removed) {
    if (found != members.end())
      members.erase(found);
  } else if (found != members.end()) {
    found->voter = wish == member_wish::voter;
  } else {
    // It will be added, and must have caught up before it votes.
    members.push_back({node, wish == member_wish::voter, true, 0});
  }
  return members;
}

std::string vote_objection(const group_status& status, node_id node, member_wish wish,
                           const name_function& name_of) {
  const auto before = voters_of(status.members);
  const auto after = voters_of(members_after(status.members, node, wish));
  if (after.size() == before.size())
    return {};
  if (after.empty())
    return "node " + name_of(node) + " is the last voter; promote another one first";
  if (after.size() > before.size() && after.size() > most_voters)
    return "node " + name_of(node) + " would be voter number " + std::to_string(after.size())
           + ", and a group has no more than " + std::to_string(most_voters)
           + " (1, 3 or 5, and one more while one is replaced); demote or remove another one first";
  const auto up = static_cast<size_t>(std::ranges::count_if(after, &group_member::online));
  const auto needed = after.size() / 2 + 1;
  if (up >= needed)
    return {};
  return outcome_of(wish, name_of(node)) + " the voters would be " + list_of(after, name_of) + ": "
         + std::to_string(up) + " would answer, and " + std::to_string(needed)
         + " are needed; bring back those that are down, or take them out first";
}

} // namespace novacron
