#include "controller.hpp"

#include "ask.hpp"
#include "messages/codec.hpp"
#include "messages/lease_margins.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t tick_ms = 20;
constexpr uint64_t slow_tick_ms = 50;
constexpr uint64_t lease_ticks = 10;   // the watch over leases looks every 200 ms
constexpr uint64_t recovery_ticks = 5; // recovery looks every 100 ms
constexpr uint64_t forward_patience_ms = 6'000;

outcomes all(size_t count, command_errc error) {
  command_outcome outcome;
  outcome.error = error;
  return {std::vector<command_outcome>(count, outcome)};
}

} // namespace

controller::parts::parts(fleet& with)
    : frontend{with.settings.frontend}, watch{with.settings.frontend, with.all.time,
                                              with.all.check},
      follower{{},
               true,
               {[this](const any_record& x) {
                  scheduler.put(x);
                  recovery.put(x);
                },
                [this](const any_record& x) {
                  scheduler.remove(x);
                  recovery.remove(x);
                },
                [this](const auto& named) {
                  scheduler.keep_only(named);
                  recovery.keep_only(named);
                },
                {}}} {
  // nop
}

// -- its life ------------------------------------------------------------------------

void controller::started() {
  ++life_;
  source_.begin_at(replica_.machine().index);
  parts_ = std::make_unique<parts>(with_);
  tick();
  slow_tick();
}

void controller::ended() {
  ++life_;
  parts_.reset();
}

void controller::later(uint64_t delay_ms, std::function<void()> call) {
  with_.all.time.after(delay_ms, [this, life = life_, what = std::move(call)] {
    if (parts_ && life == life_)
      what();
  });
}

void controller::tick() {
  follow_leader();
  follow();
  serve_late_reads();
  if (with_.all.time.now() / tick_ms % lease_ticks == 0)
    watch_leases();
  if (with_.all.time.now() / tick_ms % recovery_ticks == 0)
    place_lost_vms();
  later(tick_ms, [this] { tick(); });
}

void controller::slow_tick() {
  parts_->watch.look();
  carry_out(parts_->feed.tick(clock.steady()));
  later(slow_tick_ms, [this] { slow_tick(); });
}

void controller::follow_leader() {
  const auto& core = replica_.core();
  leadership now{core.leader(), {}, core.term()};
  if (core.leader())
    now.leads = fleet::node_of(number());
  else if (core.leader_id() != 0)
    now.leads = fleet::node_of(core.leader_id());
  if (now == parts_->leader)
    return;
  parts_->leader = now;
  carry_out(parts_->way.led_by(now, clock.steady()));
}

uint64_t controller::leader_number() const {
  return parts_ && !parts_->leader.leads.nil() ? fleet::number_of(parts_->leader.leads) : 0;
}

std::optional<controller_grade> controller::grade_of(uint64_t other) const {
  if (!parts_ || !replica_.leads())
    return {};
  if (other == number())
    return controller_grade::leader;
  const auto& core = replica_.core();
  if (!find_member(core.members(), other))
    return controller_grade::unknown;
  const bool far = core.match_index(other) + controller_choice::most_behind < core.commit_index();
  return far || !replica_.hears(other) ? controller_grade::behind : controller_grade::follower;
}

void controller::watch_leases() {
  const auto leads = replica_.leads();
  if (!leads || replica_.core().term() != parts_->leases_term)
    parts_->leases.forget();
  parts_->leases_term = replica_.core().term();
  if (!leads)
    return;
  auto leases = replica_.machine().state.leases();
  if (!with_.settings.lease_margin)
    for (auto& each : leases)
      each.term -= lease_guard + lease_kill_time; // which the watch adds
  std::vector<command> ends;
  for (const auto& each : parts_->leases.look(leases, clock.steady()))
    ends.push_back({each, {}});
  if (!ends.empty())
    propose({std::move(ends)}, false, [](const outcomes&) {});
}

/// Each controller would; only the leader's frontend takes such an order.
void controller::place_lost_vms() {
  if (!parts_->follower.complete())
    return;
  for (auto& each : parts_->recovery.next(clock.steady())) {
    const auto vm = each.vm;
    propose({{command{std::move(each), {}}}}, true, [this, vm](const outcomes& answer) {
      parts_->recovery.answered(
          vm, answer.each.size() == 1 ? std::optional{answer.each.front()} : std::nullopt,
          clock.steady());
    });
  }
}

// -- the log -------------------------------------------------------------------------

void controller::applied(uint64_t index, const command_batch& batch, const applied_batch& done) {
  source_.add(index, done);
  if (with_.past.applies(index, batch, done))
    with_.note_leases(done);
  if (!parts_)
    return; // while it starts
  if (auto ours = parts_->outcomes_of.find(index); ours != parts_->outcomes_of.end())
    ours->second = done.outcomes;
  if (done.changes.empty())
    return;
  parts_->told = index;
  later(0, [this] {
    if (auto revision = std::exchange(parts_->told, 0))
      carry_out(parts_->feed.applied(revision));
  });
}

void controller::restored(uint64_t index) {
  source_.restart_at(index);
}

void controller::propose(const proposal& what, bool forwarded,
                         std::function<void(const outcomes&)> answer) {
  const auto ticket = ++parts_->last_ticket;
  parts_->proposals.emplace(ticket, std::move(answer));
  parts_->watch.asked(ticket);
  carry_out(parts_->way.submitted(ticket, what, forwarded, clock.steady()));
  parts_->watch.look();
}

void controller::carry_out(const forwarding::effects& effects) {
  for (const auto& effect : effects)
    if (auto here = std::get_if<submit_here>(&effect)) {
      parts_->watch.takes(here->ticket, *here->what);
      carry_out(parts_->frontend.submitted(here->ticket, *here->what, clock.steady()));
    } else if (auto elsewhere = std::get_if<forward_proposal>(&effect))
      forward(*elsewhere);
    else if (auto done = std::get_if<answer_proposal>(&effect)) {
      parts_->watch.answered(done->ticket);
      if (auto waiting = parts_->proposals.extract(done->ticket))
        later(0, [call = std::move(waiting.mapped()), answer = done->answer] { call(answer); });
    }
  arrange_wake();
}

void controller::carry_out(const frontend_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto question = std::get_if<ask_scheduler>(&effect)) {
      ask(*question);
    } else if (auto batch = std::get_if<propose_batch>(&effect)) {
      parts_->watch.proposes(batch->commands);
      propose(*batch);
    } else if (auto done = std::get_if<answer_proposal>(&effect)) {
      parts_->watch.gives(done->ticket);
      carry_out(parts_->way.answered(done->ticket, done->answer, clock.steady()));
    }
  arrange_wake();
}

void controller::arrange_wake() {
  auto at = parts_->frontend.wake();
  if (auto other = parts_->way.wake(); other && (!at || *other < *at))
    at = other;
  if (!at || (parts_->wakes && *parts_->wakes <= *at))
    return;
  parts_->wakes = at;
  const auto wait
      = std::chrono::duration_cast<std::chrono::milliseconds>(*at - clock.steady()).count();
  later(static_cast<uint64_t>(std::max<int64_t>(wait, 0)) + 1, [this] {
    parts_->wakes.reset();
    carry_out(parts_->frontend.tick(clock.steady()));
    carry_out(parts_->way.tick(clock.steady()));
  });
}

void controller::ask(const ask_scheduler& what) {
  later(0, [this, what] {
    const auto now = clock.steady();
    carry_out(parts_->follower.complete() ? parts_->frontend.placed(
                  what.question, parts_->scheduler.choose(what.request, now), now)
                                          : parts_->frontend.not_placed(what.question, now));
  });
}

void controller::propose(const propose_batch& what) {
  later(0, [this, what] {
    command_batch batch;
    batch.timeline = with_.all.timeline;
    batch.cluster_version = known_cluster_version;
    batch.time = parts_->stamps.stamp(clock.wall(), clock.steady(), replica_.machine().state.now());
    batch.commands = what.commands.commands;
    const auto count = batch.commands.size();
    const auto index = replica_.core().last_index() + 1;
    auto ended = [this, number = what.batch, index, count](std::optional<uint64_t> at) {
      later(0, [this, number, index, count, at] {
        auto each = parts_->outcomes_of.extract(index);
        carry_out(parts_->frontend.applied(number,
                                           at && each ? outcomes{each.mapped()}
                                                      : all(count, command_errc::unknown_outcome),
                                           clock.steady()));
      });
    };
    if (replica_.leads())
      parts_->outcomes_of.emplace(index, std::vector<command_outcome>{});
    if (replica_.propose(encode(batch), ended))
      return;
    if (!parts_)
      return; // its disk was full
    parts_->outcomes_of.erase(index);
    carry_out(
        parts_->frontend.applied(what.batch, all(count, command_errc::not_leader), clock.steady()));
  });
}

void controller::forward(const forward_proposal& what) {
  const auto to = fleet::number_of(what.to);
  auto other = with_.controllers.find(to);
  if (other == with_.controllers.end()) {
    later(0, [this, what] { carry_out(parts_->way.not_sent(what, clock.steady())); });
    return;
  }
  if (parts_->forwarded.contains(what.ticket))
    with_.all.seen.hit(probe::repeated_with_next_leader);
  parts_->forwarded.insert(what.ticket);
  sim::ask<proposal_answer>(
      with_.all.net, with_.all.time, number(), to, forward_patience_ms,
      [target = other->second, what](auto reply) {
        if (!target->up())
          reply({{}, true});
        else
          target->propose(*what.what, true, [reply](const outcomes& x) { reply({x, false}); });
      },
      [this, life = life_, what](const std::optional<proposal_answer>& answer) {
        if (!parts_ || life != life_)
          return;
        parts_->forwarded.erase(parts_->forwarded.find(what.ticket));
        if (answer && answer->nothing_done)
          carry_out(parts_->way.not_sent(what, clock.steady()));
        else if (answer)
          carry_out(parts_->way.answered(what, answer->each, clock.steady()));
        else
          carry_out(parts_->way.lost(what, clock.steady()));
      });
}

// -- the feed ------------------------------------------------------------------------

void controller::follow() {
  auto question = parts_->follower.next(clock.steady());
  if (!question)
    return;
  if (auto which = std::get_if<list_request>(&*question))
    list(*which, [this](const std::optional<feed_listing>& page) {
      if (page)
        parts_->follower.listed(*page, clock.steady());
      else
        parts_->follower.failed(clock.steady());
      follow();
    });
  else
    pull(std::get<pull_request>(*question), number(),
         [this](const std::optional<feed_changes>& changes) {
           if (changes)
             parts_->follower.changed(*changes, clock.steady());
           else
             parts_->follower.failed(clock.steady());
           follow();
         });
}

void controller::pull(const pull_request& what, uint64_t reader,
                      std::function<void(std::optional<feed_changes>)> answer) {
  const auto ticket = ++parts_->last_ticket;
  parts_->pulls.emplace(ticket, std::move(answer));
  carry_out(parts_->feed.pulled(ticket, reader, what, clock.steady()));
}

void controller::carry_out(const feed_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto one = std::get_if<read_changes>(&effect))
      later(0, [this, what = *one] {
        auto changes = source_.changes_after(replica_.machine().index, what.request);
        if (changes.too_old)
          with_.all.seen.hit(probe::feed_too_old);
        carry_out(parts_->feed.was_read(what.pull, std::move(changes), clock.steady()));
      });
    else if (auto done = std::get_if<answer_pull>(&effect)) {
      if (auto waiting = parts_->pulls.extract(done->pull))
        later(0, [call = std::move(waiting.mapped()), answer = done->changes] { call(answer); });
    } else if (auto refused = std::get_if<refuse_pull>(&effect)) {
      if (auto waiting = parts_->pulls.extract(refused->pull))
        later(0, [call = std::move(waiting.mapped())] { call(std::nullopt); });
    }
}

} // namespace novacron::sim
