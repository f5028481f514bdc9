#include "actors/migration/migration_source.hpp"

#include <utility>

namespace novacron {

migration_effects migration_source::changed(const migration_changed& what, time_point now) {
  auto first = !decision_.known();
  decision_.record_changed(what.migration);
  epoch_at_source_ = what.vm.epoch;
  migration_effects out;
  if (first) {
    started_at_ = now;
    if (!what.fresh)
      give_up("the migration's actor at the source was restarted");
    else if (decision_.phase() == migration_phase::reserved)
      out.emplace_back(begin_at_source{});
  }
  for (auto& each : proceed(now))
    out.push_back(std::move(each));
  return out;
}

migration_effects migration_source::begun(const result<migration_offer>& offer, time_point now) {
  if (!offer) {
    give_up(offer.error().message);
    return proceed(now);
  }
  const auto& record = decision_.record();
  auto out = proceed(now);
  if (decision_.phase() == migration_phase::reserved)
    out.emplace_back(ask_destination_to_prepare{
        {record.id, record.vm, record.epoch, offer->domain_xml, offer->cookie}});
  return out;
}

migration_effects migration_source::prepared(const result<migration_prepared>& destination,
                                             time_point now) {
  if (!destination)
    give_up(destination.error().message);
  else if (decision_.phase() == migration_phase::reserved) {
    work_ = work::performing;
    return {perform{*destination}};
  }
  return proceed(now);
}

migration_effects migration_source::performed(const result<perform_end>& end, time_point now) {
  work_ = work::none;
  performed_at_ = now;
  if (!end) {
    give_up(end.error().message);
    return proceed(now);
  }
  cost_ = end->cost;
  sent_ = true;
  auto out = proceed(now);
  if (decision_.phase() == migration_phase::reserved)
    out.emplace_back(tell_destination{{decision_.record().id, end->cookie}});
  return out;
}

migration_effects migration_source::acknowledged(const std::optional<failure>& problem,
                                                 time_point now) {
  if (problem)
    give_up(problem->message);
  else
    decision_.wish(migration_decision::commit, {});
  return proceed(now);
}

migration_effects migration_source::decided(const std::optional<command_outcome>& outcome,
                                            time_point now) {
  decision_.answered(outcome, now);
  return proceed(now);
}

migration_effects migration_source::cleaned(const std::optional<failure>& problem, time_point now) {
  work_ = problem ? work::none : work::clean;
  clean_not_before_ = now + limits_.retry;
  return proceed(now);
}

migration_effects migration_source::tick(time_point now) {
  return proceed(now);
}

void migration_source::give_up(std::string reason) {
  decision_.wish(migration_decision::abort, std::move(reason));
}

void migration_source::clean_up(migration_effects& out, migration_effect how, time_point now) {
  if (work_ != work::none || now < clean_not_before_)
    return;
  work_ = work::cleaning;
  out.push_back(std::move(how));
}

migration_effects migration_source::proceed(time_point now) {
  migration_effects out;
  if (!decision_.known())
    return out;
  switch (decision_.phase()) {
  case migration_phase::queued:
    break; // no host is told of it
  case migration_phase::reserved:
    proceed_undecided(out, now);
    break;
  case migration_phase::committed:
    break; // the destination's turn
  case migration_phase::finished:
    if (cost_.duration.count() == 0)
      cost_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at_);
    clean_up(out, confirm_at_source{}, now);
    break;
  case migration_phase::aborted:
  case migration_phase::returned:
    if (work_ == work::performing && !std::exchange(abort_asked_, true))
      out.emplace_back(abort_perform{});
    clean_up(out, resume_source{epoch_at_source_}, now);
    break;
  case migration_phase::done:
  case migration_phase::rolled_back:
    out.emplace_back(end_migration{});
    return out;
  }
  if (work_ != work::clean)
    return out;
  if (decision_.record().source_clean)
    out.emplace_back(end_migration{});
  else if (now >= report_not_before_) {
    report_not_before_ = now + limits_.retry;
    out.emplace_back(report_migration{{decision_.record().id, true, cost_}});
  }
  return out;
}

void migration_source::proceed_undecided(migration_effects& out, time_point now) {
  if (sent_ && now - performed_at_ > limits_.undecided)
    give_up("it was not decided in time");
  if (auto proposal = decision_.next(now))
    out.emplace_back(std::move(*proposal));
}

std::string migration_source::phase_name() const {
  if (work_ == work::performing)
    return "precopy";
  if (decision_.phase() != migration_phase::reserved)
    return "finishing";
  return decision_.wished(migration_decision::commit) ? "switchover" : "preparing";
}

} // namespace novacron
