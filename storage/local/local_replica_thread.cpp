// What the replica's thread does.

#include "storage/errors.hpp"
#include "storage/local/entry_packing.hpp"
#include "storage/local/local_replica.hpp"

#include <algorithm>
#include <limits>
#include <rocksdb/write_batch.h>
#include <utility>

namespace novacron {

namespace {

/// Proposals taken in one turn; the rest waits for the next.
constexpr size_t turn_bytes = 512u << 10;

} // namespace

void local_replica::run() {
  try {
    for (;;) {
      auto wake = inbox::clock::now() + std::chrono::seconds{1};
      if (!retired()) {
        const auto tick = core_->next_tick();
        wake = inbox::clock::now() + std::chrono::milliseconds{tick > now() ? tick - now() : 0};
      }
      auto work = inbox_->take(std::min(wake, fetch_->wake().value_or(wake)), turn_bytes);
      const bool stop = work.stop;
      turn(std::move(work));
      if (stop)
        break;
    }
  } catch (const raft_failure& why) {
    database::give_up(config_.folder, why.what());
  }
  end();
}

void local_replica::turn(inbox::work work) {
  for (auto& each : work.refused)
    each.done({});
  if (work.stored)
    core_->stored(work.stored->first, work.stored->second, now());
  for (auto& call : work.calls)
    call(false);
  for (const auto& each : work.messages)
    take_in(each);
  barriers_->ask(std::move(work.barriers));
  if (!work.proposals.empty())
    submit(std::move(work.proposals));
  if (!retired() && now() >= core_->next_tick())
    core_->tick(now());
  fetch_->poll(snapshot_fetch::clock::now());
  follow_members();
  name_disks();
  changes_->poll(now());
  raise_version();
  applier_->write();
  speak();
  compare();
  if (retired())
    barriers_->fail(make_failure(storage_errc::emptied, refused_));
  barriers_->poll(applier_->mark().index, hint(), now());
  applier_->write(); // a single voter's barrier may have applied more
  publish();         // before the answers, so that who has one sees its revision
  applier_->answer();
  if (std::exchange(lost_leadership_, false) && (retired() || !core_->leader()))
    applier_->fail_from(0, command_errc::unknown_outcome,
                        "this node is no longer the leader; ask again with the same key");
  compact_log();
  exports_->release_idle(snapshot_exports::clock::now());
}

void local_replica::take_in(const inbox::received& one) {
  if (retired())
    return;
  adopt_timeline(one.message);
  switch (peers_->judge(one.from, one.message)) {
  case peers::verdict::good:
    if (one.message.word)
      listen_to(one.message.from, *one.message.word);
    else
      core_->receive(one.message.from, to_string(one.from), one.message.body, now());
    break;
  case peers::verdict::drop:
    break;
  case peers::verdict::answer:
    // Whatever it is: its envelope says which disk is meant.
    send(one.message.from, vote_answer{});
    break;
  case peers::verdict::own_emptied:
    refused_
        = "storage: " + config_.folder.string() + " is not the disk that the group knows as "
          + "node " + to_string(config_.node)
          + "'s: it was emptied or exchanged, and its votes are forgotten; let a new node join "
            "and take its place: novacron node replace THIS NEW";
    lost_leadership_ = true;
    break;
  }
}

/// A replica that has nothing yet, and waits to be added, doesn't know which
/// timeline the group is in. Whoever addresses it by its disk does. (A founder has
/// its log from the first moment on.)
void local_replica::adopt_timeline(const raft_envelope& message) {
  if (message.timeline <= db_->timeline() || message.group != config_.group
      || message.to != identity_.id || core_->last_index() != 0)
    return;
  rocksdb::WriteBatch batch;
  db_->put_timeline(batch, message.timeline);
  // What it answers there, it syncs behind this; before that it may learn it again.
  db_->write(batch, database::durability::buffered);
  peers_->enter(message.timeline);
}

log_entry::bytes local_replica::to_entry(std::span<const waiting_proposal> proposals) {
  command_batch batch;
  batch.group = config_.group;
  batch.timeline = db_->timeline();
  batch.cluster_version = common_version();
  const auto wall = config_.clock ? config_.clock()
                                  : std::chrono::time_point_cast<std::chrono::milliseconds>(
                                      std::chrono::system_clock::now());
  batch.time = stamps_.stamp(wall, std::chrono::steady_clock::now(), applier_->mark().now);
  for (const auto& each : proposals)
    batch.commands.insert(batch.commands.end(), each.commands.begin(), each.commands.end());
  return encode(batch);
}

void local_replica::submit(std::vector<waiting_proposal> proposals) {
  if (!core_->leader() || retired()) {
    const auto why = "this node is not the leader; " + hint();
    for (auto& each : proposals) {
      each.done(all_refused(each.commands.size(), command_errc::not_leader, why));
      inbox_->release(each.size_bytes);
    }
    return;
  }
  std::erase_if(proposals, [&](const waiting_proposal& each) {
    if (!too_new(each))
      return false;
    each.done(all_refused(each.commands.size(), command_errc::needs_upgrade, not_upgraded()));
    inbox_->release(each.size_bytes);
    return true;
  });
  if (proposals.empty())
    return;
  std::vector<proposal_extent> extents;
  for (const auto& each : proposals)
    extents.push_back({each.size_bytes, each.commands.size()});
  std::vector<log_entry::bytes> entries;
  const auto first = core_->last_index() + 1;
  auto index = first;
  auto next = proposals.begin();
  for (auto count : pack(extents)) {
    const auto end = next + static_cast<std::ptrdiff_t>(count);
    entries.push_back(to_entry({next, end}));
    // Before the submission, which may apply them.
    applier_->expect(index++, {std::make_move_iterator(next), std::make_move_iterator(end)});
    next = end;
  }
  if (!core_->submit(std::move(entries), now()))
    applier_->fail_from(first, command_errc::not_leader, "this node hands over the lead");
}

// -- members -------------------------------------------------------------------------

void local_replica::follow_members() {
  const auto index = core_->membership_index();
  if (index == members_index_)
    return;
  members_index_ = index;
  members_ = core_->members();
  peers_->follow(members_);
  sums_.follow(members_, identity_.id);
}

void local_replica::name_disks() {
  if (members_.size() < 2 || !core_->leader() || !changes_->idle())
    return;
  if (auto named = peers_->unnamed(members_))
    changes_->request(
        {membership_change::kind::rename, named->id, named->address},
        [](const change_result&) {
          // Refused or lost, the next turn of whoever leads tries again.
        },
        now());
}

void local_replica::change(const member_change& wish,
                           const std::function<void(result<void>)>& done) {
  membership_change change;
  using from = member_change::kind;
  using to = membership_change::kind;
  change.what = wish.what == from::add       ? to::add
                : wish.what == from::promote ? to::promote
                : wish.what == from::demote  ? to::demote
                                             : to::remove;
  if (wish.what == from::add) {
    if (wish.disk == 0) {
      done(make_failure(storage_errc::refused, "storage: the new member's disk is not known"));
      return;
    }
    change.id = joined_id(wish.node, wish.disk);
    change.address = to_string(member_address{wish.node, wish.disk});
  } else {
    size_t found = 0;
    for (const auto& each : members_)
      if (auto address = parse_member_address(each.address);
          address && address->node == wish.node && (wish.disk == 0 || address->disk == wish.disk)) {
        change.id = each.id;
        ++found;
      }
    if (found > 1) {
      done(make_failure(storage_errc::refused,
                        "storage: node " + to_string(wish.node)
                            + " is a member twice, with two disks; say which disk is meant"));
      return;
    }
  }
  changes_->request(
      std::move(change),
      [this, done, node = to_string(wish.node)](const change_result& became) {
        using kind = change_result::kind;
        if (became.what == kind::done)
          done({});
        else if (became.what == kind::not_leader)
          done(make_failure(storage_errc::not_leader, "storage: " + became.reason + "; " + hint()));
        else
          done(make_failure(became.what == kind::refused ? storage_errc::refused
                                                         : storage_errc::stopped,
                            "storage: member " + node + ": " + became.reason));
      },
      now());
}

std::string local_replica::hint() const {
  if (retired())
    return refused_;
  const auto leader = core_->leader_id();
  for (const auto& each : members_)
    if (each.id == leader)
      if (auto address = parse_member_address(each.address))
        return "node " + to_string(address->node) + " leads";
  return "nobody is known to lead; ask again soon";
}

// -- the end of a turn ---------------------------------------------------------------

void local_replica::compact_log() {
  const auto applied = applier_->mark().index;
  const uint64_t keep = config_.keep_log;
  if (applied <= keep || applied - keep <= compacted_ + keep / 4 + 1)
    return;
  auto point = core_->compact(applied, config_.keep_log, now());
  if (!point)
    return;
  compacted_ = applied - keep;
  disk_->compact(std::move(*point), compacted_);
}

void local_replica::publish() {
  replica_status status;
  const auto leader = retired() ? 0 : core_->leader_id();
  status.leader = !retired() && core_->leader();
  status.term = core_->term();
  status.commit_index = core_->commit_index();
  status.applied_index = applier_->mark().index;
  status.voters = static_cast<uint32_t>(count_voters(members_));
  status.timeline = db_->timeline();
  status.disk = identity_.disk;
  status.installing = core_->installing();
  status.refused = refused_;
  status.cluster_version = applier_->mark().version;
  if (status.cluster_version == 0)
    status.cluster_version = common_version(); // of the first batch, which comes
  const auto silent = 2 * static_cast<uint64_t>(config_.election.count());
  for (const auto& each : members_) {
    auto address = parse_member_address(each.address);
    if (!address)
      continue;
    replica_member member;
    member.node = address->node;
    member.disk = address->disk;
    member.role = each.role;
    member.knows = each.id == identity_.id ? own_version() : peers_->known_by(each.id);
    member.compared_index = sums_.agreed(each.id);
    if (each.id == leader)
      status.leads = address->node;
    if (status.leader) {
      const bool self = each.id == identity_.id;
      const auto heard = core_->heard(each.id);
      member.online = self || (heard != 0 && now() - heard <= silent);
      member.stored_index = core_->match_index(each.id);
    }
    status.members.push_back(member);
  }
  std::lock_guard guard{status_mutex_};
  status_ = std::move(status);
}

void local_replica::end() {
  disk_.reset(); // writes what waits; nobody learns of it any more
  applier_->fail_from(0, command_errc::unknown_outcome,
                      "this node is stopping; ask again with the same key");
  const auto stopping = make_failure(storage_errc::stopped, "this node is stopping");
  barriers_->fail(stopping);
  changes_->fail("this node is stopping");
  // What came in the meantime.
  auto late = inbox_->take(inbox::clock::now(), std::numeric_limits<size_t>::max());
  for (auto& each : late.refused)
    each.done({});
  for (auto& each : late.proposals)
    each.done(
        all_refused(each.commands.size(), command_errc::unknown_outcome, "this node is stopping"));
  for (auto& done : late.barriers)
    done(stopping);
  for (auto& call : late.calls)
    call(true);
}

} // namespace novacron
