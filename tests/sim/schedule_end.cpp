// A schedule's frame: faults, then none, then the reckoning.

#include "schedule.hpp"

#include <algorithm>

namespace novacron::sim {

verdict schedule::run() {
  verdict came;
  try {
    for (auto& each : nodes_)
      start(*each);
    if (cluster_)
      cluster_->begin();
    every(weather_.propose_every_ms, [this] { propose(); });
    every(weather_.crash_every_ms, [this] { crash_one(); });
    every(weather_.partition_every_ms, [this] { cut_some(); });
    every(weather_.slow_disk_every_ms, [this] { slow_one(); });
    every(weather_.full_disk_every_ms, [this] { fill_one(); });
    every(weather_.hand_over_every_ms, [this] { hand_over(); });
    every(weather_.change_every_ms, [this] { change_members(); });
    every(weather_.crowd_every_ms, [this] { crowd_comes(); });
    if (weather_.lose_majority)
      all_.time.after(all_.luck.between(weather_.faults_ms / 4, weather_.faults_ms / 2),
                      [this] { lose_majority(); });
    while (step(weather_.faults_ms)) {
    }
    mend();
    const auto deadline = all_.time.now() + weather_.converge_ms;
    while (!converged()) {
      if (all_.time.now() >= deadline) {
        all_.check.everything_ended();
        auto why = "the group is not whole again " + std::to_string(weather_.converge_ms)
                   + " ms after the last fault";
        for (auto& each : nodes_)
          why += "\n  " + each->describe();
        if (cluster_)
          why += cluster_->describe();
        if (auto leading = leader(); cluster_ && leading) {
          const auto& state = leading->machine().state;
          why += "\n  " + cluster_->unfinished(state) + "\n  "
                 + cluster_->unsettled(state, leading->core().members());
        }
        throw violation{why};
      }
      const auto until = std::min(deadline, all_.time.now() + 100);
      while (step(until)) {
      }
    }
    check_end();
  } catch (const std::runtime_error& why) { // violations, and the core's
    came.violation = why.what();
  }
  for (auto& each : nodes_)
    each->stop();
  came.trace_hash = all_.check.hash();
  came.applied = all_.check.applied();
  came.at_ms = all_.time.now();
  came.seen = all_.seen;
  return came;
}

void schedule::mend() {
  faults_ = false;
  all_.net.heal();
  for (auto& each : nodes_) {
    each->disk().slow(1);
    each->disk().full(false);
    if (!each->up())
      start(*each);
  }
  if (cluster_)
    cluster_->mend();
}

bool schedule::converged() {
  auto leading = leader();
  if (!leading)
    return false;
  // A write of its own shows that the group commits.
  if (probe_index_ == 0 || leading->machine().index < probe_index_) {
    command_batch batch;
    batch.timeline = all_.timeline;
    batch.commands.push_back({barrier{}, {}});
    const auto proposal = ++proposals_;
    all_.check.asks(proposal);
    auto taken = propose(*leading, batch, [this, proposal](std::optional<uint64_t> index) {
      if (index) {
        all_.check.acknowledged(proposal, *index);
        probe_index_ = std::max(probe_index_, *index);
      } else {
        all_.check.ends(proposal);
      }
    });
    if (!taken)
      all_.check.ends(proposal);
    return false;
  }
  if (all_.check.open() != 0 || members_missing_)
    return false;
  auto& core = leading->core();
  const auto& state = leading->machine().state;
  if (cluster_
      && !(cluster_->unfinished(state).empty()
           && cluster_->unsettled(state, core.members()).empty()))
    return false;
  if (core.membership_index() > core.commit_index())
    return false;
  const auto members = core.members();
  return std::all_of(members.begin(), members.end(), [&](const auto& each) {
    auto member = all_.replicas.at(each.id);
    return member->up() && (member == leading || !member->leads())
           && member->machine().index == leading->machine().index
           && member->machine().index >= probe_index_;
  });
}

void schedule::check_end() {
  for (const auto& each : leader()->core().members()) {
    const auto& machine = all_.replicas.at(each.id)->machine();
    all_.check.at_the_end(each.id, machine.index, machine.hash);
  }
  all_.check.everything_ended();
}

} // namespace novacron::sim
