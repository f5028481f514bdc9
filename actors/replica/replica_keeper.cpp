#include "actors/replica/replica_keeper.hpp"

#include <atomic>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 200ms;
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

caf::result<feed_listing> list(self_pointer self, const list_request& request) {
  auto& state = self->state;
  auto promise = self->make_response_promise<feed_listing>();
  if (!request.linearizable) {
    read_page(self, promise, request);
    return promise;
  }
  if (state.reads.size() >= most_barriers)
    return caf::make_error(caf::sec::runtime_error,
                           "replica: too many reads wait; come back later");
  auto ticket = ++state.last_ticket;
  state.reads.emplace(ticket, promise);
  state.engine->read_barrier(
      [self, ticket, request, post = on_actor(self)](const result<uint64_t>& done) {
        post([self, ticket, request, done] {
          auto found = self->state.reads.extract(ticket);
          if (!found)
            return;
          if (done)
            read_page(self, found.mapped(), request);
          else
            found.mapped().deliver(error_of(done.error()));
        });
      });
  return promise;
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

void watch_leases(self_pointer self) {
  auto& state = self->state;
  if (!state.engine->status().leader) {
    state.leases.forget();
    return;
  }
  std::vector<command> ends;
  for (const auto& each : state.leases.look(state.engine->leases(), self->clock().now())) {
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
  engine.reset();
  for (auto& [ticket, open] : proposals)
    open.answer.deliver(unknown_outcomes(open.commands));
  for (auto& [ticket, read] : reads)
    read.deliver(caf::make_error(caf::sec::runtime_error, "the replica stopped"));
}

replica_keeper_actor::behavior_type replica_keeper(self_pointer self, replica_opener open,
                                                   logger log) {
  self->state.log = std::move(log);
  auto engine = open();
  if (!engine) {
    self->state.log.error("replica", engine.error().message);
    self->quit(error_of(engine.error()));
    return replica_keeper_actor::behavior_type::make_empty_behavior();
  }
  self->state.engine = std::move(*engine);
  listen(self);
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.subscribers,
                  [&](const caf::actor& each) { return each.address() == down.source; });
  });
  self->send(self, tick_atom::value);
  return {
      [self](const proposal& what) { return propose(self, what); },
      [self](const list_request& request) { return list(self, request); },
      [self](const pull_request& request) { return changes_after(self, request); },
      [self](caf::subscribe_atom, const caf::actor& who) { subscribe(self, who); },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        watch_leases(self);
      },
      [](const continuation& what) { what.run(); },
  };
}

} // namespace novacron
