#include "replica_node.hpp"

#include "storage/log/rolling_hash.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

void replica_node::found(const membership& members) {
  image_.term = 1;
  image_.entries = {{1, entry_kind::configuration,
                     std::make_shared<const log_entry::bytes>(encode_membership(members))}};
}

void replica_node::start() {
  machine_ = image_.machine;
  core_ = std::make_unique<raft_core>(*this, *this, *this);
  changes_ = std::make_unique<membership_changes>(*core_, number_,
                                                  std::chrono::milliseconds{settings_.election_ms});
  barriers_ = std::make_unique<read_barriers>(*core_);
  raft_start from;
  from.id = number_;
  from.address = "node-" + std::to_string(number_);
  from.term = image_.term;
  from.vote = image_.vote;
  from.compacted = image_.compacted;
  from.first = image_.first;
  from.entries = image_.entries;
  from.applied = machine_.index;
  from.election = std::chrono::milliseconds{settings_.election_ms};
  from.heartbeat = std::chrono::milliseconds{settings_.heartbeat_ms};
  from.seed = static_cast<uint32_t>(all_.luck.any());
  from.guards = settings_.guards;
  if (auto begun = core_->start(std::move(from), all_.time.now()); !begun)
    throw all_.check.broken("node " + std::to_string(number_)
                            + " does not start again: " + begun.error().message);
  armed_for_ = 0;
  after_turn();
  if (owner_ && core_)
    owner_->started();
}

void replica_node::crash() {
  if (!core_)
    return;
  if (owner_)
    owner_->ended();
  all_.check.trace(4 + number_ * 31 + all_.time.now());
  if (core_->leader())
    all_.seen.hit(probe::crash_of_leader);
  if (core_->installing())
    all_.seen.hit(probe::crash_while_installing);
  collect_hits();
  ++life_;
  doomed_ = lost_lead_ = false;
  changes_->fail("it crashed");
  changes_.reset();
  barriers_.reset();
  core_.reset();
  fail_from(0);
  offers_.clear();
  newest_offer_.clear();
  fetch_.reset();
  staged_.reset();
  disk_.crash();
}

void replica_node::collect_hits() {
  const auto& hits = core_->guarded();
  all_.seen.hit(probe::guard_stale_term, hits.stale_term);
  all_.seen.hit(probe::guard_denied_pre_vote, hits.denied_pre_vote);
  all_.seen.hit(probe::guard_stale_rejection, hits.stale_rejection);
  all_.seen.hit(probe::guard_rebase, hits.rebase);
  all_.seen.hit(probe::guard_split, hits.split);
  all_.seen.hit(probe::change_before_own_term, hits.own_term_first);
  all_.seen.hit(probe::guard_silent_leader, hits.silent_leader);
  all_.seen.hit(probe::guard_standby_votes, hits.standby_votes);
  all_.seen.hit(probe::guard_late_votes, hits.late_votes);
}

std::function<void()> replica_node::while_alive(std::function<void()> call) {
  return [this, life = life_, what = std::move(call)] {
    if (core_ && life == life_)
      what();
  };
}

void replica_node::turn(const std::function<void()>& what) {
  what();
  after_turn();
}

void replica_node::after_turn() {
  changes_->poll(all_.time.now());
  barriers_->poll(machine_.index, {}, all_.time.now());
  compact();
  if (std::exchange(lost_lead_, false) && !core_->leader())
    fail_from(0);
  if (doomed_) { // in a turn of its own: whoever began this one may still be at work
    all_.time.after(0, while_alive([this] { crash(); }));
    return;
  }
  arm();
}

void replica_node::arm() {
  const auto due = std::max(core_->next_tick(), all_.time.now() + 1);
  if (armed_for_ > all_.time.now() && armed_for_ <= due)
    return; // it wakes in time, and looks again
  armed_for_ = due;
  all_.time.after(due - all_.time.now(), while_alive([this, due] {
                    if (armed_for_ != due)
                      return;
                    armed_for_ = 0;
                    if (all_.time.now() >= core_->next_tick())
                      turn([this] { core_->tick(all_.time.now()); });
                    else
                      arm();
                  }));
}

bool replica_node::propose(log_entry::bytes command, proposal_callback done) {
  if (!core_->leader())
    return false;
  const auto index = core_->last_index() + 1;
  waiting_[index] = std::move(done);
  bool taken = false;
  turn([&] { taken = core_->submit({std::move(command)}, all_.time.now()); });
  if (!taken)
    waiting_.erase(index);
  return taken;
}

void replica_node::change(const membership_change& wish, membership_changes::callback done) {
  turn([&] { changes_->request(wish, std::move(done), all_.time.now()); });
}

bool replica_node::hand_over(uint64_t to) {
  bool begun = false;
  turn([&] { begun = core_->transfer(to, all_.time.now()); });
  return begun;
}

void replica_node::barrier(barrier_callback done) {
  turn([&] { barriers_->ask({std::move(done)}); });
}

bool replica_node::hears(uint64_t member) const {
  const auto heard = core_->heard(member);
  return member == number_ || (heard != 0 && all_.time.now() - heard <= 2 * settings_.election_ms);
}

void replica_node::fail_from(uint64_t index) {
  while (!waiting_.empty() && waiting_.rbegin()->first >= index) {
    auto last = std::prev(waiting_.end());
    auto done = std::move(last->second);
    waiting_.erase(last);
    all_.seen.hit(probe::outcome_unknown);
    done({});
  }
}

std::string replica_node::describe() const {
  auto text = "node " + std::to_string(number_);
  if (!core_)
    return text + " is down";
  text += (core_->leader() ? " leads term " : " is in term ") + std::to_string(core_->term())
          + ", follows " + std::to_string(core_->leader_id()) + ", commit "
          + std::to_string(core_->commit_index()) + " of " + std::to_string(core_->last_index())
          + ", stored " + std::to_string(image_.last()) + ", applied "
          + std::to_string(machine_.index) + (core_->installing() ? ", installs; " : "; ");
  for (const auto& each : core_->members())
    text += std::to_string(each.id) + (each.role == member_role::voter ? " votes@" : " stands by@")
            + std::to_string(core_->match_index(each.id)) + " ";
  return text;
}

// -- transport -----------------------------------------------------------------------

void replica_node::send(uint64_t to, raft_message_body message) {
  if (doomed_)
    return; // the process is gone already
  if (auto vote = std::get_if<vote_request>(&message); vote && !vote->pre_vote)
    all_.check.votes(number_, vote->term, number_);
  if (auto vote = std::get_if<vote_answer>(&message)) {
    if (vote->granted && !vote->pre_vote)
      all_.check.votes(number_, vote->term, to);
    if (!vote->granted)
      all_.seen.hit(vote->pre_vote ? probe::pre_vote_denied : probe::vote_denied);
  }
  if (auto answer = std::get_if<append_answer>(&message); answer && answer->rejected == 0)
    all_.check.acknowledges(number_, answer->last_index,
                            std::max(image_.last(), image_.machine.index));
  if (way_) {
    way_(to, message);
    return;
  }
  auto target = all_.replicas.find(to);
  if (target == all_.replicas.end())
    return;
  auto shared = std::make_shared<const raft_message_body>(std::move(message));
  all_.net.send(number_, to,
                [this, target = target->second, shared] { target->receive(number_, *shared); });
}

void replica_node::receive(uint64_t from, const raft_message_body& message) {
  if (!core_)
    return;
  const auto term = std::visit([](const auto& x) { return x.term; }, message);
  all_.check.trace(5 + number_ * 31 + from * 131 + message.index() * 1009 + term * 8191
                   + all_.time.now() * 131071);
  if (term < core_->term())
    all_.seen.hit(probe::stale_term_message);
  turn([&] { core_->receive(from, "node-" + std::to_string(from), message, all_.time.now()); });
}

// -- state machine -------------------------------------------------------------------

void replica_node::apply(uint64_t index, const log_entry& entry) {
  const auto done = machine_.apply(index, entry);
  all_.check.applies(number_, index, rolling_hash(entry.term, *entry.data), machine_.hash,
                     image_.last());
  // Durable later, behind the entry in the same WAL; nobody waits for it.
  write(
      [this, index, entry] {
        if (index > image_.machine.index)
          image_.machine.apply(index, entry);
      },
      {});
  if (owner_)
    owner_->applied(index, done.batch, done.result);
  if (auto found = waiting_.find(index); found != waiting_.end()) {
    auto call = std::move(found->second);
    waiting_.erase(found);
    call(index);
  }
}

void replica_node::dropped(uint64_t index) {
  all_.seen.hit(probe::entries_truncated);
  fail_from(index);
}

void replica_node::leads(bool leader) {
  if (leader) {
    all_.seen.hit(probe::leader_elected);
    all_.check.leads(number_, core_->term());
    barriers_->leads_since(core_->last_index());
  } else {
    all_.seen.hit(probe::leader_stepped_down);
    lost_lead_ = true;
  }
}

} // namespace novacron::sim
