#include "actors/peer/guest_book.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr size_t most_challenges = 256;
constexpr auto challenge_life = std::chrono::seconds{10};

} // namespace

void guest_book::challenged(const caf::actor_addr& link, const nonce& challenge, time_point now) {
  std::erase_if(challenges_,
                [&](const auto& each) { return now - each.second.at >= challenge_life; });
  if (!challenges_.contains(link) && challenges_.size() >= most_challenges)
    challenges_.erase(
        std::ranges::min_element(challenges_, {}, [](const auto& each) { return each.second.at; }));
  challenges_[link] = {challenge, now};
}

std::optional<nonce> guest_book::take_challenge(const caf::actor_addr& link, time_point now) {
  auto found = challenges_.extract(link);
  if (!found || now - found.mapped().at >= challenge_life)
    return std::nullopt;
  return found.mapped().value;
}

void guest_book::verified(const caf::actor_addr& link, guest who) {
  latest_[who.identity.node] = link;
  guests_[link] = std::move(who);
}

void guest_book::forget(const caf::actor_addr& link) {
  challenges_.erase(link);
  auto found = guests_.extract(link);
  if (!found)
    return;
  auto node = found.mapped().identity.node;
  auto latest = latest_.find(node);
  if (latest == latest_.end() || latest->second != link)
    return;
  latest_.erase(latest);
  for (const auto& [other, who] : guests_) // an earlier one may stand
    if (who.identity.node == node)
      latest_[node] = other;
}

const guest_book::guest* guest_book::find(const caf::actor_addr& link) const {
  auto found = guests_.find(link);
  return found == guests_.end() ? nullptr : &found->second;
}

const guest_book::guest* guest_book::find(node_id node) const {
  auto found = latest_.find(node);
  return found == latest_.end() ? nullptr : find(found->second);
}

std::vector<linked_node> guest_book::nodes() const {
  std::vector<linked_node> out;
  for (const auto& [node, link] : latest_) {
    const auto& who = guests_.at(link);
    out.push_back({node, who.name, who.identity.has(node_role::controller)});
  }
  std::ranges::sort(out, {}, &linked_node::node);
  return out;
}

} // namespace novacron
