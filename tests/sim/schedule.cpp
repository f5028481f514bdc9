#include "schedule.hpp"

#include "change_probes.hpp"
#include "messages/codec.hpp"
#include "modelled_cluster.hpp"

#include <algorithm>

namespace novacron::sim {

std::unique_ptr<cluster> schedule::make_modelled_cluster(world& all, const fleet_settings& how) {
  return how.hosts > 0 ? std::make_unique<modelled_cluster>(all, how) : nullptr;
}

schedule::schedule(const scenario& weather, uint64_t seed, const cluster_maker& make)
    : weather_{weather}, all_{seed, weather.net}, commands_{seed} {
  cluster_ = make(all_, weather_.fleet);
  if (cluster_)
    cluster_->hear_of_removals([this](uint64_t number) { drop(number); });
  membership founders;
  for (uint64_t i = 0; i < weather_.nodes; ++i) {
    const bool founds = i < weather_.voters;
    auto& node = add_node(founds);
    if (founds)
      founders.push_back(
          {node.number(), "node-" + std::to_string(node.number()), member_role::voter});
  }
  for (const auto& each : founders)
    all_.replicas.at(each.id)->found(founders);
}

replica_node& schedule::add_node(bool founds) {
  // Ids don't come in the order of joining: they are hashes in real life.
  last_number_ += 1 + all_.luck.below(3);
  const auto number = last_number_ * 7919 % 10007;
  nodes_.push_back(std::make_unique<replica_node>(all_, number, weather_.replica, weather_.disk));
  if (cluster_)
    cluster_->add(*nodes_.back(), founds);
  return *nodes_.back();
}

void schedule::every(uint64_t mean_ms, std::function<void()> call) {
  if (mean_ms == 0 || !faults_)
    return;
  all_.time.after(1 + all_.luck.below(2 * mean_ms), [this, mean_ms, what = std::move(call)] {
    if (!faults_)
      return;
    what();
    every(mean_ms, what);
  });
}

replica_node* schedule::leader() {
  replica_node* newest = nullptr;
  for (auto& each : nodes_)
    if (each->leads() && (!newest || each->core().term() > newest->core().term()))
      newest = each.get();
  return newest;
}

// -- load ----------------------------------------------------------------------------

void schedule::propose() {
  auto& node = *nodes_[all_.luck.below(nodes_.size())];
  auto target = all_.luck.below(8) == 0 ? &node : leader();
  if (!target || !target->up())
    return;
  auto batch = commands_.batch(target->machine().state);
  batch.cluster_version = 1;
  const auto proposal = ++proposals_;
  all_.check.asks(proposal);
  auto taken = propose(*target, batch, [this, proposal](std::optional<uint64_t> index) {
    if (index)
      all_.check.acknowledged(proposal, *index);
    else
      all_.check.ends(proposal);
  });
  if (!taken) {
    all_.seen.hit(probe::proposal_refused);
    all_.check.ends(proposal);
  }
}

bool schedule::propose(replica_node& at, const command_batch& what,
                       replica_node::proposal_callback done) {
  return cluster_ ? cluster_->propose(at, what, std::move(done))
                  : at.propose(encode(what), std::move(done));
}

// -- faults --------------------------------------------------------------------------

void schedule::restart_later(replica_node& node) {
  all_.time.after(1 + all_.luck.below(weather_.down_max_ms), [this, &node] {
    if (!faults_ || node.up() || is_lost(node))
      return;
    if (node.disk().is_full() || majority_lost_)
      restart_later(node);
    else
      start(node);
  });
}

void schedule::crash_one() {
  // The leader as often as all others together.
  auto victim = all_.luck.below(2) == 0 ? leader() : nullptr;
  if (!victim)
    victim = nodes_[all_.luck.below(nodes_.size())].get();
  if (!victim->up())
    return;
  crash(*victim);
  restart_later(*victim);
}

void schedule::cut_some() {
  const auto one = nodes_[all_.luck.below(nodes_.size())]->number();
  cut_off(one, all_.luck.below(2) == 0);
}

void schedule::cut_off(uint64_t one, bool from_all) {
  const auto way = all_.luck.below(3); // out, in, both
  if (way != 2)
    all_.seen.hit(probe::one_way_partition);
  std::vector<std::pair<uint64_t, uint64_t>> cuts;
  for (auto& each : nodes_) {
    if (each->number() == one || (!from_all && all_.luck.below(2) == 0))
      continue;
    if (way != 0)
      cuts.emplace_back(each->number(), one);
    if (way != 1)
      cuts.emplace_back(one, each->number());
  }
  for (auto [from, to] : cuts)
    all_.net.cut(from, to);
  all_.time.after(1 + all_.luck.below(weather_.partition_max_ms), [this, cuts] {
    for (auto [from, to] : cuts)
      all_.net.join(from, to);
  });
}

void schedule::slow_one() {
  slow(*nodes_[all_.luck.below(nodes_.size())]);
}

void schedule::slow(replica_node& node) {
  all_.seen.hit(probe::disk_slow);
  node.disk().slow(weather_.slow_disk_factor);
  all_.time.after(1 + all_.luck.below(weather_.slow_disk_max_ms), [&node] { node.disk().slow(1); });
}

void schedule::crowd_comes() {
  // To a leader that has no time for them, mostly.
  if (auto leading = leader()) {
    const auto trouble = all_.luck.below(3);
    if (trouble == 0)
      slow(*leading);
    else if (trouble == 1)
      cut_off(leading->number(), true);
  }
  cluster_->crowd_comes();
}

void schedule::fill_one() {
  auto& node = *nodes_[all_.luck.below(nodes_.size())];
  all_.seen.hit(probe::disk_full);
  node.disk().full(true);
  // It ends with its next write; whoever looks after it starts it again.
  restart_later(node);
  all_.time.after(1 + all_.luck.below(weather_.full_disk_max_ms), [this, &node] {
    node.disk().full(false);
    if (!node.up())
      restart_later(node);
  });
}

void schedule::hand_over() {
  auto from = leader();
  if (!from)
    return;
  const auto members = from->core().members();
  const auto& to = members[all_.luck.below(members.size())];
  if (to.role == member_role::voter && to.id != from->number() && from->hand_over(to.id))
    all_.time.after(weather_.replica.election_ms, [this, to = to.id] {
      if (auto now = leader(); now && now->number() == to)
        all_.seen.hit(probe::lead_handed_over);
    });
}

// -- members -------------------------------------------------------------------------

void schedule::change_members() {
  if (cluster_ && cluster_->change_members(weather_.voters))
    return;
  auto at = leader();
  if (!at)
    return;
  const auto members = at->core().members();
  using kind = membership_change::kind;
  membership_change wish;
  wish.what = static_cast<kind>(all_.luck.below(4));
  if (wish.what == kind::add) {
    // Somebody who is no member yet; who was one must be emptied first.
    for (auto& each : nodes_)
      if (each->up() && !find_member(members, each->number()) && !leaving_.contains(each->number()))
        wish.id = each->number();
    wish.address = "node-" + std::to_string(wish.id);
  } else {
    wish.id = members[all_.luck.below(members.size())].id;
    auto member = find_member(members, wish.id);
    // Groups that can bear a loss are what is to be shown, mostly.
    if (member->role == member_role::voter && wish.what != kind::promote
        && count_voters(members) <= weather_.voters && all_.luck.below(4) != 0)
      wish.what = kind::promote;
  }
  if (wish.id == 0)
    return;
  // Whoever may be gone already is never asked back.
  if (wish.what == kind::remove)
    leaving_.insert(wish.id);
  const bool whole = all_.net.whole();
  const auto leading = at->number();
  at->change(wish, [this, wish, whole, leading](const change_result& became) {
    count_change(all_.seen, wish, became, {wish.id == leading, !whole && !all_.net.whole()});
    if (became.what == change_result::kind::done && wish.what == kind::remove)
      drop(wish.id);
  });
}

void schedule::drop(uint64_t number) {
  // It goes on for a while, and may disturb. Then its disk is emptied, and it
  // comes back as somebody else.
  all_.time.after(1 + all_.luck.below(5'000), [this, number] {
    if (!faults_ || std::ranges::find(nodes_, number, &replica_node::number) == nodes_.end())
      return;
    put_away_for_good(number);
    start(add_node(false));
  });
}

bool schedule::is_lost(const replica_node& node) const {
  return std::ranges::find(nodes_, node.number(), &replica_node::number) == nodes_.end();
}

void schedule::put_away_for_good(uint64_t number) {
  const auto found = std::ranges::find(nodes_, number, &replica_node::number);
  put_away(**found);
  dropped_.push_back(std::move(*found));
  nodes_.erase(found);
}

} // namespace novacron::sim
