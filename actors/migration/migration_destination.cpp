#include "actors/migration/migration_destination.hpp"

#include "hypervisor/errors.hpp"

#include <system_error>
#include <utility>

namespace novacron {

migration_effects migration_destination::changed(const migration_changed& what, time_point now) {
  auto first = !decision_.known();
  decision_.record_changed(what.migration);
  if (first) {
    known_since_ = now;
    if (!what.fresh)
      decision_.wish(migration_decision::abort,
                     "the migration's actor at the destination was restarted");
  }
  return proceed(now);
}

migration_effects migration_destination::asked_to_prepare(const prepare_migration& request,
                                                          time_point now) {
  const auto& record = decision_.record();
  std::string problem;
  if (decision_.phase() != migration_phase::reserved || decision_.wished(migration_decision::abort))
    problem = "the migration is not open any more";
  else if (request.epoch != record.epoch || request.vm != record.vm)
    problem = "the request doesn't fit the reservation in the log";
  else if (asked_)
    problem = "the destination was asked to prepare before";
  auto out = proceed(now);
  if (!problem.empty()) {
    out.emplace_back(answer_prepare{std::nullopt, problem});
    return out;
  }
  asked_ = true;
  work_ = work::preparing;
  out.emplace_back(prepare_incoming{request});
  return out;
}

migration_effects migration_destination::prepared(const result<migration_prepared>& answer,
                                                  time_point now) {
  work_ = work::none;
  migration_effects out;
  if (answer)
    out.emplace_back(answer_prepare{*answer, {}});
  else {
    out.emplace_back(answer_prepare{std::nullopt, answer.error().message});
    give_up(out, answer.error().message);
  }
  for (auto& each : proceed(now))
    out.push_back(std::move(each));
  return out;
}

migration_effects migration_destination::pages_ended(const result<migration_cost>& cost,
                                                     time_point now) {
  migration_effects out;
  if (cost)
    cost_ = *cost;
  else
    give_up(out, cost.error().message);
  if (cost && std::exchange(answer_owed_, false))
    out.emplace_back(answer_performed{});
  for (auto& each : proceed(now))
    out.push_back(std::move(each));
  return out;
}

migration_effects migration_destination::told(const migration_performed& message, time_point now) {
  cookie_ = message.cookie;
  told_at_ = now;
  migration_effects out;
  if (!asked_ || decision_.wished(migration_decision::abort))
    out.emplace_back(answer_performed{"the destination has not received everything"});
  else if (cost_)
    out.emplace_back(answer_performed{});
  else
    answer_owed_ = true;
  for (auto& each : proceed(now))
    out.push_back(std::move(each));
  return out;
}

migration_effects migration_destination::decided(const std::optional<command_outcome>& outcome,
                                                 time_point now) {
  decision_.answered(outcome, now);
  return proceed(now);
}

migration_effects migration_destination::finished(const std::optional<failure>& problem,
                                                  time_point now) {
  work_ = work::none;
  cookie_.reset(); // a second try must look first
  // The guest stands still: nobody waits for room on this disk.
  if (problem && problem->code == std::errc::no_space_on_device)
    decision_.wish(migration_decision::return_guest, problem->message);
  if (problem)
    not_before_ = now + limits_.retry;
  else
    work_ = work::clean;
  return proceed(now);
}

migration_effects migration_destination::found(const result<found_guest>& guest, time_point now) {
  work_ = work::none;
  not_before_ = now + limits_.retry;
  if (!guest || guest->guest != found_guest::presence::paused)
    paused_since_.reset();
  if (!guest || decision_.phase() != migration_phase::committed)
    return proceed(now);
  switch (guest->guest) {
  case found_guest::presence::paused:
    // A hypervisor that has just come back shows one so that it is about to end. Else it ran, and a
    // later migration, which a recovery has lost, has paused it: the VM's own actor goes on.
    if (!paused_since_)
      paused_since_ = now;
    if (now - *paused_since_ >= limits_.settled)
      work_ = work::clean;
    break;
  case found_guest::presence::here:
    work_ = work::clean;
    break;
  case found_guest::presence::incoming:
    cookie_ = std::string{}; // lost with our earlier life; it only carries statistics
    not_before_ = now;
    break;
  case found_guest::presence::absent:
    // The mark alone tells: a clear "no" to the only Finish took it away, and one to a later
    // Finish says nothing of those before.
    if (!guest->may_have_run)
      decision_.wish(migration_decision::return_guest, "the guest never ran at the destination");
    else
      work_ = work::clean; // it ran and has ended: the VM's own actor says so
    break;
  }
  return proceed(now);
}

migration_effects migration_destination::cleaned(const std::optional<failure>& problem,
                                                 time_point now) {
  work_ = problem ? work::none : work::clean;
  not_before_ = now + limits_.retry;
  return proceed(now);
}

migration_effects migration_destination::tick(time_point now) {
  return proceed(now);
}

void migration_destination::give_up(migration_effects& out, const std::string& reason) {
  decision_.wish(migration_decision::abort, reason);
  if (std::exchange(answer_owed_, false))
    out.emplace_back(answer_performed{reason});
}

migration_effects migration_destination::proceed(time_point now) {
  migration_effects out;
  if (!decision_.known())
    return out;
  auto may_act = work_ == work::none && now >= not_before_;
  switch (decision_.phase()) {
  case migration_phase::queued:
    break; // no host is told of it
  case migration_phase::reserved:
    proceed_undecided(out, now);
    break;
  case migration_phase::committed:
    if (may_act)
      proceed_committed(out);
    break;
  case migration_phase::finished:
    work_ = work::clean;
    break;
  case migration_phase::aborted:
  case migration_phase::returned:
    give_up(out, "the migration was aborted");
    if (may_act) {
      work_ = work::acting;
      out.emplace_back(cancel_incoming{});
    }
    break;
  case migration_phase::done:
  case migration_phase::rolled_back:
    out.emplace_back(end_migration{});
    return out;
  }
  if (auto proposal = decision_.next(now))
    out.emplace_back(std::move(*proposal));
  if (work_ != work::clean)
    return out;
  // The source's word on the cost counts more, but its agent may have died with it.
  const bool tells_cost
      = cost_ && cost_->guest_bytes > 0 && decision_.record().cost.guest_bytes == 0;
  if (decision_.record().destination_clean && !tells_cost)
    out.emplace_back(end_migration{});
  else if (now >= report_not_before_) {
    report_not_before_ = now + limits_.retry;
    out.emplace_back(
        report_migration{{decision_.record().id, true, cost_.value_or(migration_cost{})}});
  }
  return out;
}

void migration_destination::proceed_undecided(migration_effects& out, time_point now) {
  if (!asked_ && now - known_since_ > limits_.first_word)
    give_up(out, "the source did not begin in time");
  else if (cookie_ && now - told_at_ > limits_.undecided)
    give_up(out, "it was not decided in time");
}

void migration_destination::proceed_committed(migration_effects& out) {
  if (decision_.wished(migration_decision::return_guest))
    return;
  work_ = work::acting;
  if (cookie_)
    out.emplace_back(finish_incoming{*cookie_});
  else
    out.emplace_back(look_for_guest{});
}

} // namespace novacron
