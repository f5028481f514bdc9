#include "storage/consensus/membership_changes.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

using kind = membership_change::kind;

/// A change that isn't in the log after so many election timeouts is refused.
constexpr uint64_t most_election_timeouts = 60;
/// Entries that a standby may lack when it becomes a voter: they are on the way.
constexpr uint64_t nearly = 64;
constexpr size_t most_waiting = 16;

} // namespace

membership apply_change(membership members, const membership_change& wish) {
  if (wish.what == kind::add) {
    members.push_back({wish.id, wish.address, member_role::standby});
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return members;
  }
  if (wish.what == kind::remove) {
    std::erase_if(members, [&](const auto& x) { return x.id == wish.id; });
    return members;
  }
  for (auto& each : members)
    if (each.id == wish.id) {
      if (wish.what == kind::rename)
        each.address = wish.address;
      else
        each.role = wish.what == kind::promote ? member_role::voter : member_role::standby;
    }
  return members;
}

void membership_changes::request(membership_change wish, callback done, millisecond_clock now) {
  if (!core_.leader())
    done({change_result::kind::not_leader, "this node is not the leader"});
  else if (waiting_.size() >= most_waiting)
    done({change_result::kind::refused, "too many changes wait; come back later"});
  else
    waiting_.push_back({std::move(wish), std::move(done)});
  poll(now);
}

void membership_changes::poll(millisecond_clock now) {
  while (running_ || !waiting_.empty()) {
    if (running_)
      go_on(now);
    if (running_)
      return;
    if (!waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      begin(std::move(next), now);
    }
  }
}

void membership_changes::begin(asked next, millisecond_clock now) {
  if (!core_.leader())
    next.done({change_result::kind::not_leader, "this node is no longer the leader"});
  else if (auto why = objection(next.wish); !why.empty())
    next.done({change_result::kind::refused, std::move(why)});
  else if (next.wish.id == self_ && next.wish.what != kind::rename)
    hand_over(std::move(next), now);
  else
    running_ = running{std::move(next.wish),
                       std::move(next.done),
                       0,
                       core_.term(),
                       core_.last_index(),
                       now,
                       now + most_election_timeouts * election_};
}

void membership_changes::hand_over(asked wish, millisecond_clock now) {
  const auto members = core_.members();
  for (const auto& each : members)
    if (each.id != self_ && each.role == member_role::voter && answers(each.id, now)
        && core_.transfer(each.id, now)) {
      wish.done({change_result::kind::not_leader,
                 "this node leads, and hands over before it loses its vote; ask the next leader"});
      return;
    }
  wish.done({change_result::kind::refused,
             "this node leads, and no other voter answers that could; bring one back first"});
}

void membership_changes::go_on(millisecond_clock now) {
  auto& run = *running_;
  if (run.index != 0 && core_.commit_index() >= run.index && core_.term() == run.term) {
    end(change_result::kind::done);
    return;
  }
  if (!core_.leader() || core_.term() != run.term) {
    end(run.index != 0 ? change_result::kind::unknown : change_result::kind::not_leader,
        "this node is no longer the leader");
    return;
  }
  if (run.index != 0)
    return;
  if (now >= run.deadline) {
    end(change_result::kind::refused,
        run.wish.what == kind::promote ? "the standby does not catch up; see that it runs, and is "
                                         "not slower than the writes"
                                       : "the group does not commit; see that its voters run");
    return;
  }
  if (run.wish.what == kind::promote && !caught_up(now))
    return;
  if (auto why = quorum_objection(run.wish, now); !why.empty()) {
    end(change_result::kind::refused, std::move(why));
    return;
  }
  if (core_.change(apply_change(core_.members(), run.wish), now) == change_answer::submitted)
    run.index = core_.membership_index();
}

void membership_changes::fail(const std::string& reason) {
  if (running_)
    end(change_result::kind::unknown, reason);
  for (auto& each : std::exchange(waiting_, {}))
    each.done({change_result::kind::not_leader, reason});
}

void membership_changes::end(change_result::kind what, std::string reason) {
  auto run = *std::exchange(running_, std::nullopt);
  run.done({what, std::move(reason)});
}

std::string membership_changes::objection(const membership_change& wish) const {
  const auto members = core_.members();
  const auto member = find_member(members, wish.id);
  if (wish.what == kind::add) {
    if (member)
      return "it is a member already";
    return wish.id == 0 ? "a member needs an id" : "";
  }
  if (!member)
    return "there is no such member";
  if (wish.what == kind::promote && member->role == member_role::voter)
    return "it votes already";
  if (wish.what == kind::promote && count_voters(members) >= most_voters)
    return "the group has " + std::to_string(count_voters(members))
           + " voters, and takes no more (1, 3 or 5, and one more while one is replaced); demote "
             "or remove another one first";
  if (wish.what == kind::demote && member->role != member_role::voter)
    return "it doesn't vote";
  const bool loses_vote = wish.what == kind::demote || wish.what == kind::remove;
  if (loses_vote && member->role == member_role::voter && count_voters(members) == 1)
    return "it is the last voter; promote another one first";
  return {};
}

std::string membership_changes::quorum_objection(const membership_change& wish,
                                                 millisecond_clock now) const {
  const auto before = core_.members();
  const auto after = apply_change(before, wish);
  if (count_voters(after) == count_voters(before))
    return {};
  const auto alive = static_cast<size_t>(std::count_if(after.begin(), after.end(), [&](auto& x) {
    return x.role == member_role::voter && answers(x.id, now);
  }));
  if (alive >= quorum_of(after))
    return {};
  return "of " + std::to_string(count_voters(after)) + " voters only " + std::to_string(alive)
         + " would answer, and " + std::to_string(quorum_of(after))
         + " are needed; bring the others back, or remove those that are gone, first";
}

bool membership_changes::answers(uint64_t id, millisecond_clock now) const {
  if (id == self_)
    return true;
  const auto heard = core_.heard(id);
  return heard != 0 && now - heard <= 2 * election_;
}

bool membership_changes::caught_up(millisecond_clock now) {
  auto& run = *running_;
  const auto match = core_.match_index(run.wish.id);
  if (match < run.round_target)
    return false;
  // A round is what was there when it began. One that was quick leaves little.
  if (core_.last_index() - match <= nearly || now - run.round_began < election_)
    return answers(run.wish.id, now);
  run.round_target = core_.last_index();
  run.round_began = now;
  return false;
}

} // namespace novacron
