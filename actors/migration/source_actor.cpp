#include "actors/migration/source_actor.hpp"

#include "actors/host/propose.hpp"
#include "actors/migration/guest_steps.hpp"
#include "actors/migration/perform_run.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "dwcp/errors.hpp"
#include "hypervisor/errors.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

using namespace std::chrono_literals;

using shared_context = std::shared_ptr<host_context>;

constexpr auto connect_timeout = 5s;
/// A host that is busy, or lets many guests in at once, may need some tries; it waits for our
/// first word for longer.
constexpr auto reach_timeout = 20s;
constexpr auto link_retry = 50ms;
constexpr auto prepare_timeout = 60s;
constexpr auto performed_timeout = 15s;

failure unreachable(const std::string& who) {
  return make_failure(dwcp_errc::unreachable, "no word from the destination host " + who);
}

std::string peer_name(source_pointer self) {
  const auto& peer = self->state.known.peer;
  return peer ? peer->name : to_string(self->state.known.migration.to);
}

failure cannot_take(source_pointer self, const caf::error& why) {
  return make_failure(dwcp_errc::unreachable,
                      "the destination host " + peer_name(self)
                          + " can't take the guest: " + self->system().render(why));
}

void begin(source_pointer self) {
  auto context = self->state.context;
  call_blocking(
      self, *context->pool, self->state.known.vm.id.value,
      [context, vm = self->state.known.vm.id] { return context->driver->migration_begin(vm); },
      brings(self, &migration_source::begun));
}

/// Asks over the link; a link that was made a moment ago may not be up yet.
void ask_over(source_pointer self, const link_actor& link, const prepare_migration& request,
              std::chrono::steady_clock::time_point until) {
  auto answer = brings(self, &migration_source::prepared);
  self->request(link, prepare_timeout, request)
      .then([=](const migration_prepared& x) { answer(x); },
            [=](const caf::error& why) {
              if ((is(why, mesh_errc::unconnected) || is(why, mesh_errc::lost))
                  && self->clock().now() < until)
                self->delayed_send(self, link_retry,
                                   continuation{[=] { ask_over(self, link, request, until); }});
              else
                answer(cannot_take(self, why));
            });
}

void ask_to_prepare(source_pointer self, const prepare_migration& request) {
  auto answer = brings(self, &migration_source::prepared);
  auto peers = self->state.context->peers.get();
  if (!peers || !self->state.known.peer) {
    answer(unreachable(peer_name(self)));
    return;
  }
  const auto& peer = *self->state.known.peer;
  self->request(peers, connect_timeout, caf::connect_atom::value, peer.id, peer.mesh_address)
      .then(
          [=](const link_actor& link) {
            self->state.peer = link;
            ask_over(self, link, request, self->clock().now() + reach_timeout);
          },
          [=](const caf::error& why) { answer(cannot_take(self, why)); });
}

void start_perform(source_pointer self, const migration_prepared& destination) {
  auto context = self->state.context;
  auto answer = brings(self, &migration_source::performed);
  auto me = caf::actor_cast<caf::actor>(self);
  auto run = std::make_shared<perform_run>(
      context, self->state.known, [me, self, context, answer](const result<perform_end>& end) {
        caf::anon_send(me, continuation{[=] {
                         if (auto last = std::move(self->state.run))
                           context->pool->run_apart(last->vm().value, [last] { last->release(); });
                         answer(end);
                       }});
      });
  self->state.run = run;
  self->state.looked_at = self->clock().now();
  context->pool->run(run->vm().value, [run, destination] { run->start(destination); });
}

void tell(source_pointer self, const migration_performed& message) {
  auto answer = brings(self, &migration_source::acknowledged);
  if (!self->state.peer) {
    answer(unreachable(peer_name(self)));
    return;
  }
  self->request(self->state.peer, performed_timeout, message)
      .then([=](caf::ok_atom) { answer(std::nullopt); },
            [=](const caf::error&) { answer(unreachable(peer_name(self))); });
}

template <class Work>
void clean(source_pointer self, Work work) {
  call_blocking(self, *self->state.context->pool, self->state.known.vm.id.value, std::move(work),
                brings(self, &migration_source::cleaned));
}

/// Makes the run end soon. In the order of its VM: a newer migration of the VM
/// begins after this, so what is aborted can't be that one's Perform.
void end_run(const shared_context& context, const std::shared_ptr<perform_run>& run,
             const std::string& reason) {
  context->pool->run(run->vm().value, [run, reason] { run->cancel(reason); });
}

struct interpreter {
  source_pointer self;
  const shared_context& context = self->state.context;

  void operator()(const begin_at_source&) const {
    note(self, "begins at the source");
    begin(self);
  }
  void operator()(const ask_destination_to_prepare& x) const { ask_to_prepare(self, x.request); }
  void operator()(const perform& x) const { start_perform(self, x.destination); }
  void operator()(const abort_perform&) const {
    if (self->state.run)
      end_run(context, self->state.run, "the migration was aborted");
  }
  void operator()(const tell_destination& x) const { tell(self, x.message); }
  void operator()(const resume_source& x) const {
    note(self, "the guest goes on at the source");
    clean(self, [context = context, vm = self->state.known.vm.id, epoch = x.epoch] {
      return resume_at_source(*context->driver, vm, epoch);
    });
  }
  void operator()(const confirm_at_source&) const {
    clean(self, [context = context, vm = self->state.known.vm.id] {
      return confirm_source(*context->driver, vm);
    });
  }
  void operator()(const propose_decision& x) const {
    note(self, x.command.decision == migration_decision::commit
                   ? std::string{"proposes to commit"}
                   : "proposes to abort: " + x.command.reason);
    propose_to_log(self, *context, x.command, brings(self, &migration_source::decided));
  }
  void operator()(const report_migration& x) const { self->send(self->state.host, x.observation); }
  void operator()(const end_migration&) const { self->quit(); }
  /// The destination's effects; the source's logic has none of them.
  template <class Other>
  void operator()(const Other&) const {
    // nop
  }
};

/// Tells whoever follows how it gets on. Statistics block, so they come back later.
void send_progress(source_pointer self) {
  auto run = self->state.run;
  if (!run || std::exchange(self->state.looking, true))
    return; // one look at a time: libvirt may take long, and others wait in its order
  call_blocking(
      self, *self->state.context->pool, run->vm().value,
      [run, now = self->clock().now()] {
        auto job = run->look(now);
        return std::pair{job, run->statistics()};
      },
      [self](const std::pair<migration_job, session_statistics>& seen) {
        const auto& [job, pages] = seen;
        self->state.looking = false;
        auto now = self->clock().now();
        auto seconds = std::chrono::duration<double>(now - self->state.looked_at).count();
        auto sent = pages.guest_bytes - std::min(pages.guest_bytes, self->state.processed_bytes);
        self->state.processed_bytes = pages.guest_bytes;
        self->state.looked_at = now;
        const auto& record = self->state.known.migration;
        self->send(self->state.context->feed.get(),
                   migration_progress{record.id, record.vm, self->state.logic.phase_name(),
                                      std::max(job.iteration, pages.rounds),
                                      job.memory_remaining_bytes, pages.guest_bytes,
                                      pages.wire_bytes,
                                      seconds > 0 ? static_cast<uint64_t>(sent / seconds) : 0});
      });
}

} // namespace

source_actor_state::~source_actor_state() {
  if (!run)
    return;
  end_run(context, run, "the migration's actor has ended");
  context->pool->run(run->vm().value, [pool = context->pool, last = run] {
    pool->run_apart(last->vm().value, [last] { last->release(); });
  });
}

void carry_out(source_pointer self, const migration_effects& effects) {
  for (const auto& effect : effects)
    std::visit(interpreter{self}, effect);
}

migration_actor::behavior_type source_side(source_pointer self, migration_id id,
                                           shared_context context) {
  self->state.context = std::move(context);
  self->send(self, tick_atom::value);
  return {
      [=](const migration_changed& what) { word_of_the_log(self, what); },
      [=](const prepare_migration&) -> caf::result<migration_prepared> {
        return caf::make_error(caf::sec::unexpected_message); // this host is the source
      },
      [=](const migration_performed&) -> caf::result<caf::ok_atom> {
        return caf::make_error(caf::sec::unexpected_message);
      },
      [=](const continuation& what) { what.run(); },
      [=](tick_atom) {
        send_progress(self);
        tick_migration(self, id);
      },
  };
}

} // namespace novacron
