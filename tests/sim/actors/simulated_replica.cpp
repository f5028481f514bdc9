#include "simulated_replica.hpp"

#include "change_probes.hpp"
#include "messages/codec.hpp"
#include "messages/lease_margins.hpp"
#include "storage/errors.hpp"
#include "storage/replication/wire.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

std::vector<command_outcome> all(size_t count, command_errc error) {
  command_outcome outcome;
  outcome.error = error;
  return {count, outcome};
}

failure not_simulated() {
  return make_failure(storage_errc::refused, "the simulated replica doesn't do this");
}

} // namespace

simulated_replica::simulated_replica(fleet& with, replica_home home,
                                     std::shared_ptr<replica_transport> transport)
    : with_{with}, home_{std::move(home)}, transport_{std::move(transport)} {
  auto& node = home_.node;
  home_.locked = true;
  node.own(this);
  node.speak_over([this](uint64_t to, const raft_message_body& message) {
    raft_envelope envelope;
    envelope.from = home_.node.number();
    envelope.to = to;
    envelope.body = message;
    transport_->send(fleet::node_of(to), encode(envelope));
  });
  node.start();
  if (node.up())
    home_.changes.begin_at(node.machine().index);
}

simulated_replica::~simulated_replica() {
  *open_ = false;
  home_.node.crash();
  home_.node.own(nullptr);
  home_.node.speak_over({});
  home_.locked = false;
}

void simulated_replica::later(std::function<void()> call) {
  with_.all.time.after(0, [this, open = open_, what = std::move(call)] {
    if (*open && home_.node.up())
      what();
  });
}

void simulated_replica::ended() {
  if (*open_)
    home_.died();
}

// -- the log -------------------------------------------------------------------------

void simulated_replica::propose(std::vector<command> commands,
                                std::function<void(std::vector<command_outcome>)> done) {
  if (!home_.node.up()) {
    done(all(commands.size(), command_errc::unknown_outcome));
    return;
  }
  later([this, what = std::move(commands), told = std::move(done)] { submit(what, told); });
}

void simulated_replica::submit(const std::vector<command>& commands,
                               const std::function<void(std::vector<command_outcome>)>& done) {
  auto& node = home_.node;
  const auto count = commands.size();
  if (!node.leads()) {
    done(all(count, command_errc::not_leader));
    return;
  }
  command_batch batch;
  batch.timeline = with_.all.timeline;
  batch.cluster_version = known_cluster_version;
  batch.time = stamps_.stamp(home_.clock.wall(), home_.clock.steady(), node.machine().state.now());
  batch.commands = commands;
  const auto index = node.core().last_index() + 1;
  outcomes_of_.emplace(index, std::vector<command_outcome>{});
  const bool taken
      = node.propose(encode(batch), [this, index, count, done](std::optional<uint64_t> at) {
          auto each = outcomes_of_.extract(index);
          done(at && each ? each.mapped() : all(count, command_errc::unknown_outcome));
        });
  if (taken)
    return;
  outcomes_of_.erase(index);
  done(all(count, command_errc::not_leader));
}

void simulated_replica::applied(uint64_t index, const command_batch& batch,
                                const applied_batch& done) {
  home_.changes.add(index, done);
  if (with_.past.applies(index, batch, done)) {
    with_.note_leases(done);
    with_.note_removals(done);
  }
  if (auto ours = outcomes_of_.find(index); ours != outcomes_of_.end())
    ours->second = done.outcomes;
  if (listener_ && !done.changes.empty())
    listener_(index);
}

void simulated_replica::read_barrier(std::function<void(result<uint64_t>)> done) {
  if (!home_.node.up()) {
    done(make_failure(storage_errc::stopped, "this node is stopping"));
    return;
  }
  later([this, told = std::move(done)] {
    if (home_.node.leads())
      home_.node.barrier(told);
    else
      told(make_failure(storage_errc::not_leader, "this node doesn't lead"));
  });
}

void simulated_replica::on_applied(std::function<void(uint64_t revision)> listener) {
  listener_ = std::move(listener);
}

// -- the state -----------------------------------------------------------------------

result<feed_listing> simulated_replica::list(const list_request& request) {
  const auto& machine = home_.node.machine();
  return feed_source::list(machine.state, machine.index, request);
}

result<feed_changes> simulated_replica::changes_after(const pull_request& request) {
  return home_.changes.changes_after(home_.node.machine().index, request);
}

std::vector<lease_record> simulated_replica::leases() const {
  auto all_of_them = home_.node.machine().state.leases();
  if (!with_.settings.lease_margin)
    for (auto& each : all_of_them)
      each.term -= lease_guard + lease_kill_time; // which the watch adds
  return all_of_them;
}

std::vector<node_record> simulated_replica::nodes() const {
  return home_.node.machine().state.nodes();
}

// -- the group -----------------------------------------------------------------------

replica_status simulated_replica::status() const {
  replica_status out;
  auto& node = home_.node;
  out.timeline = with_.all.timeline;
  out.disk = node.number();
  out.applied_index = node.machine().index;
  if (!node.up())
    return out;
  auto& core = node.core();
  out.leader = core.leader();
  out.term = core.term();
  out.commit_index = core.commit_index();
  out.installing = core.installing();
  if (core.leader_id() != 0)
    out.leads = fleet::node_of(core.leader_id());
  const auto members = core.members();
  out.voters = static_cast<uint32_t>(count_voters(members));
  for (const auto& each : members) {
    replica_member member;
    member.node = fleet::node_of(each.id);
    member.disk = each.id;
    member.role = each.role;
    if (out.leader) {
      member.online = node.hears(each.id);
      member.stored_index = core.match_index(each.id);
    }
    out.members.push_back(member);
  }
  return out;
}

void simulated_replica::receive(node_id from, std::span<const std::byte> message) {
  auto envelope = decode_envelope(message);
  if (!envelope) {
    static_cast<void>(with_.all.check.broken("a replica's message can't be decoded"));
    return;
  }
  later([this, from, body = std::move(envelope->body)] {
    home_.node.receive(fleet::number_of(from), body);
  });
}

void simulated_replica::hand_over(node_id to) {
  later([this, to] { home_.node.hand_over(fleet::number_of(to)); });
}

result<snapshot_chunk> simulated_replica::read_snapshot(const snapshot_chunk_request&) {
  return not_simulated();
}

void simulated_replica::change_member(const member_change& wish,
                                      std::function<void(result<void>)> done) {
  if (!home_.node.up()) {
    done(make_failure(storage_errc::not_leader, "this node is stopping"));
    return;
  }
  later([this, wish, told = std::move(done)] { change(wish, told); });
}

/// As the engine does it. A node's disk has the node's number here, and its replica, too.
void simulated_replica::change(const member_change& wish,
                               const std::function<void(result<void>)>& done) {
  using from = member_change::kind;
  using to = membership_change::kind;
  const auto number = fleet::number_of(wish.node);
  if (fleet::node_of(number) != wish.node || !with_.all.replicas.contains(number)
      || (wish.what == from::add && wish.disk != number)) {
    done(make_failure(storage_errc::refused, "there is no such machine, it was only spoken of"));
    return;
  }
  membership_change change;
  change.what = wish.what == from::add       ? to::add
                : wish.what == from::promote ? to::promote
                : wish.what == from::demote  ? to::demote
                                             : to::remove;
  change.id = number;
  if (change.what == to::add)
    change.address = "node-" + std::to_string(number);
  auto& all = with_.all;
  const bool whole = all.net.whole();
  home_.node.change(change, [&all, change, done, whole,
                             self = home_.node.number()](const change_result& became) {
    all.check.tell(all.time.now(), [&] {
      return "node " + std::to_string(self) + " changes members, kind "
             + std::to_string(static_cast<int>(change.what)) + " of " + std::to_string(change.id)
             + ": " + std::to_string(static_cast<int>(became.what)) + " " + became.reason;
    });
    count_change(all.seen, change, became, {change.id == self, !whole && !all.net.whole()});
    using end = change_result::kind;
    if (became.what == end::done)
      done({});
    else
      done(make_failure(became.what == end::not_leader ? storage_errc::not_leader
                        : became.what == end::refused  ? storage_errc::refused
                                                       : storage_errc::stopped,
                        became.reason));
  });
}

result<backup_info> simulated_replica::back_up(const std::filesystem::path&, uint32_t,
                                               const std::stop_token&) {
  return not_simulated();
}

} // namespace novacron::sim
