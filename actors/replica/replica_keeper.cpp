#include "actors/replica/replica_keeper.hpp"

#include "actors/peer/mesh_errors.hpp"
#include "storage/errors.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 20ms;
constexpr auto lease_interval = 200ms;
constexpr auto leader_timeout = 2s;
constexpr auto catch_up_timeout = 2s;
constexpr size_t most_barriers = 1'024; // reads that wait for one

using self_pointer = replica_keeper_actor::stateful_pointer<replica_keeper_state>;

caf::error error_of(const failure& why) {
  return caf::make_error(caf::sec::runtime_error, why.message);
}

/// What the engine's threads call: runs `what` on the actor, if it still lives.
auto on_actor(self_pointer self) {
  return [handle = caf::actor_cast<caf::actor>(self)](std::function<void()> what) {
    caf::anon_send(handle, continuation{std::move(what)});
  };
}

outcomes unknown_outcomes(size_t count) {
  command_outcome unknown;
  unknown.error = command_errc::unknown_outcome;
  unknown.detail
      = "the replica stopped before it answered; ask again with the same Idempotency-Key";
  return {{count, unknown}};
}

caf::result<outcomes> propose(self_pointer self, const proposal& what) {
  auto& state = self->state;
  auto ticket = ++state.last_ticket;
  auto promise = self->make_response_promise<outcomes>();
  state.proposals.emplace(ticket,
                          replica_keeper_state::open_proposal{promise, what.commands.size()});
  state.engine->propose(what.commands,
                        [self, ticket, post = on_actor(self)](std::vector<command_outcome> each) {
                          auto answer = std::make_shared<outcomes>(outcomes{std::move(each)});
                          post([self, ticket, answer] {
                            if (auto found = self->state.proposals.extract(ticket))
                              found.mapped().answer.deliver(std::move(*answer));
                          });
                        });
  return promise;
}

void read_page(self_pointer self, caf::typed_response_promise<feed_listing>& promise,
               const list_request& request) {
  auto page = self->state.engine->list(request);
  if (page)
    promise.deliver(std::move(*page));
  else
    promise.deliver(error_of(page.error()));
}

/// Runs `done` here once everything acknowledged before is applied here.
template <class Done>
void after_barrier(self_pointer self, Done done) {
  self->state.engine->read_barrier([done, post = on_actor(self)](const result<uint64_t>& passed) {
    post([done, passed]() mutable { done(passed); });
  });
}

/// Asks the leader how far a reader must be, and reads once this replica is.
void read_after_leader(self_pointer self, uint64_t ticket, const list_request& request) {
  auto& state = self->state;
  auto fail = [self, ticket](const std::string& why) {
    if (auto found = self->state.reads.extract(ticket))
      found.mapped().deliver(caf::make_error(caf::sec::runtime_error, "replica: " + why));
  };
  auto leads = state.engine->status().leads;
  auto link = state.place.links ? state.place.links->find(leads) : link_actor{};
  if (leads.nil() || !link) {
    fail("no leader is known, or there is no link to it; come back in a moment");
    return;
  }
  self->request(link, leader_timeout, group_status_request{true})
      .then(
          [self, ticket, request](const group_status& leader) {
            if (auto found = self->state.reads.extract(ticket))
              self->state.late_reads.push_back({leader.applied_index,
                                                self->clock().now() + catch_up_timeout, request,
                                                std::move(found.mapped())});
          },
          [self, fail](const caf::error& why) { fail(self->system().render(why)); });
}

void serve_late_reads(self_pointer self) {
  auto& state = self->state;
  if (state.late_reads.empty())
    return;
  const auto revision = state.engine->status().applied_index;
  const auto now = self->clock().now();
  std::erase_if(state.late_reads, [&](auto& each) {
    if (revision >= each.revision)
      read_page(self, each.answer, each.request);
    else if (now >= each.deadline)
      each.answer.deliver(caf::make_error(caf::sec::runtime_error,
                                          "replica: this node is behind the leader; ask again"));
    else
      return false;
    return true;
  });
}

caf::result<feed_listing> list(self_pointer self, const list_request& request) {
  auto& state = self->state;
  auto promise = self->make_response_promise<feed_listing>();
  if (!request.linearizable) {
    read_page(self, promise, request);
    return promise;
  }
  if (state.reads.size() + state.late_reads.size() >= most_barriers)
    return caf::make_error(caf::sec::runtime_error,
                           "replica: too many reads wait; come back later");
  auto ticket = ++state.last_ticket;
  state.reads.emplace(ticket, promise);
  if (!state.engine->status().leader && state.place.links) {
    read_after_leader(self, ticket, request);
    return promise;
  }
  after_barrier(self, [self, ticket, request](const result<uint64_t>& passed) {
    auto found = self->state.reads.extract(ticket);
    if (!found)
      return;
    if (passed)
      read_page(self, found.mapped(), request);
    else
      found.mapped().deliver(error_of(passed.error()));
  });
  return promise;
}

// -- the group -------------------------------------------------------------------

group_status status_here(self_pointer self) {
  const auto& state = self->state;
  auto status = state.engine->status();
  group_status out{state.place.node,
                   status.leads,
                   status.term,
                   status.commit_index,
                   status.applied_index,
                   status.timeline,
                   {},
                   status.installing,
                   std::move(status.refused),
                   status.disk,
                   state.members.doing(),
                   status.cluster_version};
  if (status.leader)
    out.leads = state.place.node;
  for (const auto& each : status.members)
    out.members.push_back({each.node, each.role == member_role::voter, each.online,
                           each.stored_index, each.knows, each.compared_index});
  return out;
}

caf::result<group_status> status(self_pointer self, const group_status_request& request) {
  if (!request.linearizable)
    return status_here(self);
  auto promise = self->make_response_promise<group_status>();
  after_barrier(self, [self, promise](const result<uint64_t>& passed) mutable {
    if (!passed) {
      promise.deliver(error_of(passed.error()));
      return;
    }
    auto out = status_here(self);
    out.applied_index = *passed;
    promise.deliver(std::move(out));
  });
  return promise;
}

caf::result<snapshot_chunk> read_snapshot(self_pointer self, const snapshot_chunk_request& what) {
  auto chunk = self->state.engine->read_snapshot(what);
  if (chunk) {
    chunk->plane = self->state.place.snapshot_door;
    return std::move(*chunk);
  }
  if (chunk.error().code == storage_errc::stopped)
    return make_error(mesh_errc::withdrawn, chunk.error().message);
  return error_of(chunk.error());
}

/// On a thread of its own: a disk may take minutes for it, and the log goes on.
caf::result<backup_info> make_backup(self_pointer self, const back_up& request) {
  auto& state = self->state;
  if (state.backup_answer)
    return caf::make_error(caf::sec::runtime_error, "replica: a backup is being made already");
  state.backup_answer = self->make_response_promise<backup_info>();
  state.backup = std::jthread{
      [self, request, &engine = *state.engine, post = on_actor(self)](const std::stop_token& stop) {
        post([self, made = engine.back_up(request.folder, request.keep, stop)] {
          auto answer = std::exchange(self->state.backup_answer, std::nullopt);
          if (made)
            answer->deliver(*made);
          else
            answer->deliver(error_of(made.error()));
        });
      }};
  return *state.backup_answer;
}

void tell_leadership(self_pointer self) {
  auto& state = self->state;
  auto status = state.engine->status();
  leadership now{status.leader, status.leader ? state.place.node : status.leads, status.term,
                 status.cluster_version};
  if (state.elections.look(now, self->clock().now()))
    state.log.warning("replica", "no leader lasts: either no majority of the controllers can be "
                                 "reached, or a round trip between them takes longer than "
                                 "controller.election_ms, which should be raised on each of them");
  if (now == state.leader)
    return;
  if (now.cluster_version != state.leader.cluster_version)
    state.log.info("replica", "the cluster's version is " + std::to_string(now.cluster_version));
  if (now.here != state.leader.here)
    state.log.info("replica", now.here ? "this node leads" : "this node leads no more",
                   {{"term", std::to_string(now.term)}});
  state.leader = now;
  for (const auto& each : state.followers)
    caf::anon_send(each, now);
}

void follow_leadership(self_pointer self, const caf::actor& who) {
  auto& state = self->state;
  self->monitor(who);
  state.followers.push_back(who);
  tell_leadership(self);
  caf::anon_send(who, state.leader);
}

caf::result<feed_changes> changes_after(self_pointer self, const pull_request& request) {
  auto changes = self->state.engine->changes_after(request);
  if (!changes)
    return error_of(changes.error());
  return std::move(*changes);
}

void tell(const caf::actor& subscriber, uint64_t revision) {
  caf::anon_send(subscriber, update_atom::value, revision);
}

void subscribe(self_pointer self, const caf::actor& subscriber) {
  auto& state = self->state;
  self->monitor(subscriber);
  state.subscribers.push_back(subscriber);
  if (auto revision = state.engine->status().applied_index; revision > 0)
    tell(subscriber, revision);
}

/// Many applies, one message: only the latest revision counts.
void listen(self_pointer self) {
  struct news {
    std::atomic<uint64_t> revision = 0;
    std::atomic<bool> on_the_way = false;
  };
  auto latest = std::make_shared<news>();
  self->state.engine->on_applied([self, latest, post = on_actor(self)](uint64_t revision) {
    latest->revision = revision;
    if (latest->on_the_way.exchange(true))
      return;
    post([self, latest] {
      latest->on_the_way = false;
      for (const auto& each : self->state.subscribers)
        tell(each, latest->revision);
    });
  });
}

void carry_out(self_pointer self, const member_change& what) {
  self->state.engine->change_member(what, [self, post = on_actor(self)](const result<void>& done) {
    auto problem = done ? std::string{} : done.error().message;
    post([self, problem] { self->state.members.ended(problem, self->clock().now()); });
  });
}

void carry_out(self_pointer self, const wish_member& what) {
  self->state.engine->propose(
      {{what, {}}}, [self, post = on_actor(self)](const std::vector<command_outcome>& each) {
        auto problem = each.empty() ? std::string{"nobody answered"} : each.front().detail;
        post([self, problem] { self->state.members.ended(problem, self->clock().now()); });
      });
}

/// Makes the members what operators wish, where this replica leads.
void watch_members(self_pointer self, const replica_status& status) {
  auto& state = self->state;
  if (!status.leader) {
    state.members.forget();
    return;
  }
  auto step = state.members.next(state.engine->nodes(), status, self->clock().now());
  if (!step)
    return;
  state.log.info("replica", step->words);
  std::visit([self](const auto& what) { carry_out(self, what); }, step->what);
}

void watch_what_leaders_do(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (now - state.leases_at < lease_interval)
    return;
  state.leases_at = now;
  const auto status = state.engine->status();
  watch_members(self, status);
  if (!status.leader || status.term != state.leases_term)
    state.leases.forget(); // a new leader gives every host its full term again
  state.leases_term = status.term;
  if (!status.leader)
    return;
  std::vector<command> ends;
  const auto seen = state.engine->leases();
  // Only now: a renewal may have come while we waited for them, and it counts from here.
  for (const auto& each : state.leases.look(seen, self->clock().now())) {
    state.log.warning("replica", "a host did not renew its lease; it ends",
                      {{"host", to_string(each.host)}});
    ends.push_back({each, {}});
  }
  if (!ends.empty())
    state.engine->propose(std::move(ends), [](const std::vector<command_outcome>&) {
      // Refused, it was renewed in time; lost, the next look proposes again.
    });
}

} // namespace

replica_keeper_state::~replica_keeper_state() {
  if (place.port)
    place.port->lead_to(nullptr);
  backup = {}; // stops it, and waits for its end
  engine.reset();
  if (backup_answer)
    backup_answer->deliver(caf::make_error(caf::sec::runtime_error, "the replica stopped"));
  for (auto& [ticket, open] : proposals)
    open.answer.deliver(unknown_outcomes(open.commands));
  for (auto& [ticket, read] : reads)
    read.deliver(caf::make_error(caf::sec::runtime_error, "the replica stopped"));
  for (auto& read : late_reads)
    read.answer.deliver(caf::make_error(caf::sec::runtime_error, "the replica stopped"));
}

replica_keeper_actor::behavior_type replica_keeper(self_pointer self, replica_opener open,
                                                   logger log, replica_place place) {
  self->state.log = std::move(log);
  self->state.place = std::move(place);
  auto engine = open();
  if (!engine) {
    self->state.log.error("replica", engine.error().message);
    self->quit(error_of(engine.error()));
    return replica_keeper_actor::behavior_type::make_empty_behavior();
  }
  self->state.engine = std::move(*engine);
  listen(self);
  if (const auto& port = self->state.place.port)
    port->lead_to(self->state.engine.get());
  self->set_down_handler([self](const caf::down_msg& down) {
    auto gone = [&](const caf::actor& each) { return each.address() == down.source; };
    std::erase_if(self->state.subscribers, gone);
    std::erase_if(self->state.followers, gone);
  });
  self->send(self, tick_atom::value);
  return {
      [self](const proposal& what) { return propose(self, what); },
      [self](const list_request& request) { return list(self, request); },
      [self](const pull_request& request) { return changes_after(self, request); },
      [self](caf::subscribe_atom, const caf::actor& who) { subscribe(self, who); },
      [self](status_atom, const caf::actor& who) { follow_leadership(self, who); },
      [self](const group_status_request& request) { return status(self, request); },
      [self](const snapshot_chunk_request& request) { return read_snapshot(self, request); },
      [self](const back_up& request) { return make_backup(self, request); },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        tell_leadership(self);
        serve_late_reads(self);
        watch_what_leaders_do(self);
      },
      [](const continuation& what) { what.run(); },
  };
}

} // namespace novacron
