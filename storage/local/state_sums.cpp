#include "storage/local/state_sums.hpp"

#include <algorithm>

namespace novacron {

void state_sums::follow(const membership& members, uint64_t self) {
  members_ = members;
  self_ = self;
  std::erase_if(heard_, [&](const auto& each) {
    return each.first != self && !find_member(members, each.first);
  });
}

void state_sums::said(uint64_t member, const state_sum& theirs) {
  if (member != self_ && find_member(members_, member))
    add(member, theirs);
}

void state_sums::add(uint64_t member, const state_sum& sum) {
  if (sum.index == 0)
    return;
  auto& all = heard_[member];
  // One that installed a snapshot, or was put back, may say less than before.
  while (!all.empty() && all.back().index >= sum.index)
    all.pop_back();
  all.push_back(sum);
  if (all.size() > remembered)
    all.pop_front();
}

const state_sum* state_sums::at(uint64_t member, uint64_t index) const {
  auto found = heard_.find(member);
  if (found == heard_.end())
    return nullptr;
  auto sum = std::ranges::lower_bound(found->second, index, {}, &state_sum::index);
  return sum != found->second.end() && sum->index == index ? &*sum : nullptr;
}

std::optional<uint64_t> state_sums::right_at(uint64_t index, uint64_t leader) const {
  std::map<uint64_t, size_t> votes;
  size_t spoken = 0;
  for (const auto& each : members_)
    if (const auto* sum = at(each.id, index)) {
      ++spoken;
      if (++votes[sum->hash] > members_.size() / 2)
        return sum->hash;
    }
  const auto* leads = spoken == members_.size() ? at(leader, index) : nullptr;
  return leads ? std::optional{leads->hash} : std::nullopt;
}

std::optional<state_sums::difference> state_sums::judge(uint64_t leader) const {
  auto own = heard_.find(self_);
  if (own == heard_.end())
    return {};
  for (const auto& each : own->second)
    if (auto right = right_at(each.index, leader); right && *right != each.hash)
      return difference{each.index, each.hash, *right};
  return {};
}

uint64_t state_sums::agreed(uint64_t member) const {
  auto theirs = heard_.find(member);
  if (theirs == heard_.end())
    return 0;
  for (auto each = theirs->second.rbegin(); each != theirs->second.rend(); ++each)
    if (const auto* own = at(self_, each->index); own && own->hash == each->hash)
      return each->index;
  return 0;
}

state_sum state_sums::newest() const {
  auto own = heard_.find(self_);
  return own == heard_.end() || own->second.empty() ? state_sum{} : own->second.back();
}

} // namespace novacron
