// A majority is lost for good, and an operator recovers from who is left: docs/operations.md.

#include "schedule.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t hand_every_ms = 2'000;   ///< the operator looks at guests
constexpr uint64_t member_every_ms = 300;   ///< at members
constexpr uint64_t recovery_max_ms = 4'000; ///< until the operator is there

} // namespace

void schedule::lose_majority() {
  majority_lost_ = true;
  std::vector<replica_node*> left;
  for (auto& each : nodes_) {
    crash(*each);
    left.push_back(each.get());
  }
  const auto majority = left.size() / 2 + 1;
  while (left.size() > nodes_.size() - majority)
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(all_.luck.below(left.size())));
  // With several survivors, the one whose log reaches furthest.
  auto& survivor = **std::ranges::max_element(left, {}, &replica_node::stored_index);
  std::vector<uint64_t> lost;
  for (auto& each : nodes_)
    if (each.get() != &survivor)
      lost.push_back(each->number());
  for (auto number : lost)
    put_away_for_good(number);
  all_.time.after(all_.luck.between(500, recovery_max_ms),
                  [this, &survivor] { recover(survivor); });
}

void schedule::recover(replica_node& survivor) {
  const auto held = survivor.held_index();
  all_.check.log_lost_after(held);
  auto& fleet = cluster_->recovers();
  fleet.log_lost_after(held);
  command_batch first;
  first.timeline = ++all_.timeline;
  first.cluster_version = known_cluster_version;
  first.commands.push_back({recover_cluster{fleet::node_of(survivor.number())}, {}});
  const auto& begun = survivor.recover(
      first, [&](uint64_t index, const auto& done) { fleet.replayed(index, done); });
  fleet.recovered(begun.index, begun.state);
  cluster_->recovered(survivor, begun.index);
  majority_lost_ = false;
  survivor.disk().full(false);
  start(survivor);
  members_missing_ = true;
  add_members();
  end_by_hand();
}

/// One step towards as many voters as there were.
void schedule::add_members() {
  auto at = leader();
  const auto members = at ? at->core().members() : membership{};
  if (count_voters(members) >= weather_.voters) {
    members_missing_ = false;
    return;
  }
  all_.time.after(member_every_ms, [this] { add_members(); });
  if (!at || !cluster_->knows(*at))
    return;
  if (nodes_.size() < weather_.voters)
    start(add_node(false));
  for (auto& each : nodes_) {
    const auto* member = find_member(members, each->number());
    if (!each->up() || (member && member->role == member_role::voter))
      continue;
    membership_change wish;
    wish.what = member ? membership_change::kind::promote : membership_change::kind::add;
    wish.id = each->number();
    wish.address = "node-" + std::to_string(wish.id);
    at->change(wish, [](const change_result&) { /* it looks again */ });
    return;
  }
}

/// What runs by a part of the log that is lost nobody else may end.
void schedule::end_by_hand() {
  all_.time.after(hand_every_ms, [this] {
    if (auto at = leader())
      cluster_->end_by_hand(at->machine().state);
    end_by_hand();
  });
}

} // namespace novacron::sim
