// The actors of a simulated host's migrations, and what they do.

#include "actors/migration/guest_steps.hpp"
#include "ask.hpp"
#include "host_agent.hpp"
#include "hypervisor/errors.hpp"

#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t tick_ms = 200;
constexpr uint64_t spawn_ms = 3;
constexpr uint64_t peer_patience_ms = 6'000; ///< a link that is silent for so long breaks

/// On the machine's disk.
class finish_mark_model final : public finish_mark {
public:
  finish_mark_model(machine& box, migration_id migration) : box_{box}, migration_{migration} {
    // nop
  }
  [[nodiscard]] bool stands() const override { return box_.finish_marks.contains(migration_); }
  bool set() override {
    box_.finish_marks.insert(migration_);
    return true;
  }
  void remove() override { box_.finish_marks.erase(migration_); }

private:
  machine& box_;
  const migration_id migration_;
};

failure unreachable() {
  return make_failure(hypervisor_errc::unreachable, "no word from the destination host");
}

} // namespace

// -- their lives ---------------------------------------------------------------------

void host_agent::carry_out(const need_migration_actor& what) {
  later(spawn_ms, [this, what] {
    start_actor(what.migration, what.source);
    carry_out(logic_.present(what.migration, moment()));
  });
}

void host_agent::start_actor(migration_id migration, bool source) {
  if (migrations_.contains(migration))
    return;
  auto& actor = migrations_[migration];
  actor.incarnation = ++incarnations_;
  if (source)
    actor.source.emplace();
  else
    actor.destination.emplace();
  later(tick_ms,
        [this, migration, incarnation = actor.incarnation] { tick(migration, incarnation); });
}

host_agent::migration_actor_model* host_agent::find(migration_id migration, uint64_t incarnation) {
  auto found = migrations_.find(migration);
  if (found == migrations_.end() || (incarnation != 0 && found->second.incarnation != incarnation))
    return nullptr;
  return &found->second;
}

void host_agent::tick(migration_id migration, uint64_t incarnation) {
  auto actor = find(migration, incarnation);
  if (!actor)
    return;
  later(tick_ms, [this, migration, incarnation] { tick(migration, incarnation); });
  carry_out(migration,
            actor->source ? actor->source->tick(now()) : actor->destination->tick(now()));
}

/// What was under way at this side ends; a Perform is aborted in its VM's order.
void host_agent::let_go(migration_actor_model& actor, vm_id vm) {
  if (!actor.pages)
    return;
  std::exchange(actor.pages, nullptr)->break_off();
  run(vm.value, [this, vm]() -> std::function<void()> {
    static_cast<void>(context_->driver->migration_abort(vm));
    return [] {};
  });
}

void host_agent::kill_actor(migration_id migration) {
  with_.all.seen.hit(probe::migration_actor_killed);
  auto last = migrations_.extract(migration);
  let_go(last.mapped(), last.mapped().known.vm.id);
  carry_out(logic_.absent(migration));
}

void host_agent::carry_out(const tell_migration& what) {
  later(0, [this, word = what.word] {
    if (auto actor = find(word.migration.id, 0))
      tell(*actor, word);
  });
}

void host_agent::tell(migration_actor_model& actor, const migration_changed& word) {
  actor.known = word;
  carry_out(word.migration.id, actor.source ? actor.source->changed(word, now())
                                            : actor.destination->changed(word, now()));
}

template <class Logic, class Answer>
std::function<void(const Answer&)> host_agent::brings(migration_id migration,
                                                      migration_effects (Logic::*to)(const Answer&,
                                                                                     time_point)) {
  const auto incarnation = find(migration, 0)->incarnation;
  return [this, migration, incarnation, to](const Answer& answer) {
    auto actor = find(migration, incarnation);
    if (!actor)
      return;
    if constexpr (std::is_same_v<Logic, migration_source>)
      carry_out(migration, ((*actor->source).*to)(answer, now()));
    else
      carry_out(migration, ((*actor->destination).*to)(answer, now()));
  };
}

// -- from other hosts ----------------------------------------------------------------

void host_agent::prepare(const prepare_migration& request, prepare_reply reply) {
  const auto ticket = ++last_ticket_;
  requests_.emplace(ticket, std::move(reply));
  carry_out(logic_.asked_to_prepare(ticket, request, moment()));
}

void host_agent::carry_out(const pass_on_request& what) {
  auto reply = std::move(requests_.extract(what.ticket).mapped());
  auto actor = find(what.request.migration, 0);
  if (!actor || !actor->destination || actor->prepare_answer) {
    reply(unreachable());
    return;
  }
  actor->prepare_answer = std::move(reply);
  carry_out(what.request.migration, actor->destination->asked_to_prepare(what.request, now()));
}

void host_agent::carry_out(const refuse_request& what) {
  auto reply = std::move(requests_.extract(what.ticket).mapped());
  reply(make_failure(hypervisor_errc::refused, what.why));
}

void host_agent::performed(const migration_performed& message, performed_reply reply) {
  auto actor = find(message.migration, 0);
  if (!actor || !actor->destination) {
    reply(unreachable());
    return;
  }
  actor->performed_answer = std::move(reply);
  carry_out(message.migration, actor->destination->told(message, now()));
}

// -- effects -------------------------------------------------------------------------

struct migration_interpreter {
  host_agent& on;
  migration_id id;

  /// A line of the schedule's story.
  void say(const char* what, const std::optional<failure>& problem = {}) const {
    on.with_.guests.say([&] {
      return "host " + std::to_string(on.node_.number()) + ": migration "
             + std::to_string(id.value.low) + " " + what + (problem ? ": " + problem->message : "");
    });
  }

  [[nodiscard]] host_agent::migration_actor_model& actor() const { return *on.find(id, 0); }
  [[nodiscard]] vm_id vm() const { return actor().known.migration.vm; }
  [[nodiscard]] hypervisor& driver() const { return *on.context_->driver; }
  [[nodiscard]] host_node* peer() const {
    auto found = on.with_.hosts.find(fleet::number_of(actor().known.migration.to));
    return found == on.with_.hosts.end() ? nullptr : found->second;
  }

  /// Work on the guest in its VM's order, and its answer to the logic.
  template <class Work, class Then>
  void with_guest(Work work, Then then) const {
    on.run(vm().value, [work, then]() -> std::function<void()> {
      return [then, answer = work()] { then(answer); };
    });
  }

  void operator()(const begin_at_source&) const {
    say("begins");
    with_guest([&driver = driver(), vm = vm()] { return driver.migration_begin(vm); },
               on.brings(id, &migration_source::begun));
  }
  void operator()(const ask_destination_to_prepare& x) const {
    using answer = result<migration_prepared>;
    auto then = on.brings(id, &migration_source::prepared);
    auto target = peer();
    ask<answer>(
        on.with_.all.net, on.with_.all.time, on.node_.number(), target->number(), peer_patience_ms,
        [target, request = x.request](auto reply) {
          target->deliver(target->life(),
                          [target, request, reply] { target->agent()->prepare(request, reply); });
        },
        [node = &on.node_, life = on.life_, then](const std::optional<answer>& came) {
          node->deliver(life, [then, came] { then(came ? *came : answer{unreachable()}); });
        });
  }
  void operator()(const perform& x) const {
    auto pages = std::make_shared<page_transfer>(on.with_, on.node_, *peer(), vm());
    auto then = on.brings(id, &migration_source::performed);
    pages->source_hears = [agent = &on, node = &on.node_, life = on.life_, migration = id,
                           then](const result<perform_end>& end) {
      node->deliver(life, [agent, migration, then, end] {
        if (auto there = agent->find(migration, 0))
          there->pages.reset();
        then(end);
      });
    };
    pages->destination_hears = [target = peer(), life = peer()->life(),
                                migration = id](const result<migration_cost>& cost) {
      target->deliver(life, [target, migration, cost] {
        auto agent = target->agent();
        if (auto there = agent->find(migration, 0); there && there->destination)
          agent->carry_out(migration, there->destination->pages_ended(cost, agent->now()));
      });
    };
    actor().pages = pages;
    // Begun, it goes on whatever becomes of us.
    with_guest(
        [pages, &driver = driver(), vm = vm(), cookie = x.destination.cookie] {
          auto begun = driver.migration_perform(vm, {cookie, {}});
          if (begun)
            pages->start();
          return begun;
        },
        [pages](const result<std::string>& begun) {
          if (begun)
            return;
          pages->source_hears(begun.error());
          pages->destination_hears(begun.error());
        });
  }
  void operator()(const abort_perform&) const {
    on.with_.all.seen.hit(probe::perform_aborted);
    on.let_go(actor(), vm());
  }
  void operator()(const tell_destination& x) const {
    using answer = std::optional<failure>;
    auto then = on.brings(id, &migration_source::acknowledged);
    auto target = peer();
    ask<answer>(
        on.with_.all.net, on.with_.all.time, on.node_.number(), target->number(), peer_patience_ms,
        [target, message = x.message](auto reply) {
          target->deliver(target->life(),
                          [target, message, reply] { target->agent()->performed(message, reply); });
        },
        [node = &on.node_, life = on.life_, then](const std::optional<answer>& came) {
          node->deliver(life, [then, came] { then(came ? *came : answer{unreachable()}); });
        });
  }
  void operator()(const resume_source& x) const {
    with_guest(
        [me = *this, &driver = driver(), vm = vm(), epoch = x.epoch] {
          auto problem = resume_at_source(driver, vm, epoch);
          me.say("resumes its source", problem);
          return problem;
        },
        on.brings(id, &migration_source::cleaned));
  }
  void operator()(const confirm_at_source&) const {
    with_guest([&driver = driver(), vm = vm()] { return confirm_source(driver, vm); },
               on.brings(id, &migration_source::cleaned));
  }

  void operator()(const prepare_incoming& x) const {
    auto work = [context = on.context_, known = actor().known,
                 migration = x.request.migration]() -> result<migration_prepared> {
      auto spec = make_guest_spec(*context, known.vm, known.migration.destination_epoch());
      if (!spec)
        return spec.error();
      auto cookie = context->driver->migration_prepare({*spec, {}, {}});
      if (!cookie)
        return cookie.error();
      migration_prepared answer;
      answer.migration = migration;
      answer.cookie = *cookie;
      answer.page_address = context->self.page_address;
      return answer;
    };
    with_guest(work, on.brings(id, &migration_destination::prepared));
  }
  void operator()(const answer_prepare& x) const {
    if (auto reply = std::exchange(actor().prepare_answer, {}))
      reply(x.answer ? result<migration_prepared>{*x.answer}
                     : make_failure(hypervisor_errc::refused, x.problem));
  }
  void operator()(const answer_performed& x) const {
    if (auto reply = std::exchange(actor().performed_answer, {}))
      reply(x.problem.empty() ? std::nullopt
                              : std::optional{make_failure(hypervisor_errc::refused, x.problem)});
  }
  void operator()(const finish_incoming& x) const {
    with_guest(
        [&driver = driver(), vm = vm(), &box = on.node_.box, migration = id, cookie = x.cookie] {
          finish_mark_model mark{box, migration};
          return finish_guest(driver, mark, vm, cookie);
        },
        on.brings(id, &migration_destination::finished));
  }
  void operator()(const cancel_incoming&) const {
    with_guest(
        [me = *this, &driver = driver(), vm = vm()] {
          auto problem = cancel_guest(driver, vm);
          me.say("drops its incoming guest", problem);
          return problem;
        },
        on.brings(id, &migration_destination::cleaned));
  }
  void operator()(const look_for_guest&) const {
    with_guest(
        [&driver = driver(), vm = vm(), &box = on.node_.box, migration = id,
         epoch = actor().known.migration.destination_epoch(), &seen = on.with_.all.seen] {
          auto found = find_guest(driver, finish_mark_model{box, migration}, vm, epoch);
          if (found && found->may_have_run)
            seen.hit(probe::finish_mark_found);
          return found;
        },
        on.brings(id, &migration_destination::found));
  }

  void operator()(const propose_decision& x) const {
    if (x.command.reason.find("in time") != std::string::npos)
      on.with_.all.seen.hit(probe::abort_by_timeout);
    auto then = actor().source ? on.brings(id, &migration_source::decided)
                               : on.brings(id, &migration_destination::decided);
    on.propose(x.command, then);
  }
  void operator()(const report_migration& x) const { on.logic_.observed(x.observation); }
  void operator()(const end_migration&) const {
    say("ends");
    if (actor().destination)
      on.node_.box.finish_marks.erase(id);
    on.migrations_.erase(id);
    on.later(0,
             [agent = &on, migration = id] { agent->carry_out(agent->logic_.absent(migration)); });
  }
};

void host_agent::carry_out(migration_id migration, const migration_effects& effects) {
  for (const auto& effect : effects)
    if (find(migration, 0))
      std::visit(migration_interpreter{*this, migration}, effect);
}

} // namespace novacron::sim
