#include "actors/vm/vm_state.hpp"

#include <algorithm>

namespace novacron {

namespace {

using presence = guest_seen::presence;

vm_state::effects both(vm_state::effects first, vm_state::effects second) {
  for (auto& each : second)
    first.push_back(std::move(each));
  return first;
}

/// It would be refused again: nothing that passes by itself is in the way.
bool is_final(const failure& why) {
  return why.code == hypervisor_errc::refused || why.code == hypervisor_errc::not_supported;
}

} // namespace

std::string to_string(guest_call x) {
  switch (x) {
  case guest_call::create:
    return "create";
  case guest_call::resume:
    return "resume";
  case guest_call::pause:
    return "pause";
  case guest_call::shutdown:
    return "shutdown";
  case guest_call::destroy:
    return "destroy";
  }
  return "unknown";
}

vm_state::effects vm_state::changed(vm_changed what, time_point now) {
  if (known_ && what.vm.revision < known_->vm.revision)
    return {};
  auto was_moving = known_ && in_migrations_hands();
  known_ = std::move(what);
  if (was_moving && !in_migrations_hands()) {
    // The migration's actor has changed the guest since it was looked at.
    guest_.reset();
    last_answer_ = now;
  }
  return reconcile(now);
}

vm_state::effects vm_state::seen(const guest_seen& what, time_point now) {
  if (calling_ || what.asked < last_answer_)
    return {};
  guest_ = what;
  return reconcile(now);
}

vm_state::effects vm_state::answered(guest_call call, const std::optional<failure>& problem,
                                     time_point now) {
  calling_.reset();
  last_answer_ = now;
  if (problem) {
    guest_.reset();
    if (call == guest_call::create && is_final(*problem))
      refused_ = refusal{called_under_, problem->message};
    else
      not_before_ = now + wait_after(failures_++);
    return {look_again{}};
  }
  failures_ = 0;
  if (call == guest_call::create || !guest_)
    guest_ = guest_seen{};
  guest_->asked = now;
  guest_->migration_source = false;
  switch (call) {
  case guest_call::create:
    guest_->guest = presence::paused;
    guest_->epoch = called_under_;
    break;
  case guest_call::resume:
    guest_->guest = presence::running;
    break;
  case guest_call::pause:
    guest_->guest = presence::paused;
    break;
  case guest_call::shutdown:
    guest_->guest = presence::stopping;
    break;
  case guest_call::destroy:
    guest_->guest = presence::absent;
    break;
  }
  return reconcile(now);
}

vm_state::effects vm_state::tick(time_point now) {
  return reconcile(now);
}

bool vm_state::in_migrations_hands() const {
  if (!known_->migration)
    return false;
  const auto& migration = *known_->migration;
  switch (migration.phase) {
  case migration_phase::reserved:
  case migration_phase::committed:
    return true;
  case migration_phase::aborted:
  case migration_phase::returned:
    // The destination's copy is dropped by its migration's actor.
    return migration.to == config_.host ? !migration.destination_clean : !migration.source_clean;
  case migration_phase::finished:
    return migration.from == config_.host;
  case migration_phase::queued:
  case migration_phase::done:
  case migration_phase::rolled_back:
    return false;
  }
  return false;
}

vm_state::effects vm_state::reconcile(time_point now) {
  if (!known_ || calling_)
    return {};
  if (!guest_)
    return {look_again{}};
  if (now < not_before_)
    return {};
  if (in_migrations_hands())
    return during_migration(now);
  if (!mine() || known_->vm.actual == actual_state::gone)
    return absent() ? effects{end_actor{}} : call(guest_call::destroy);
  if (!absent() && guest_->epoch != known_->vm.epoch)
    return call(guest_call::destroy); // of an older permission, or of one that was taken back
  switch (known_->vm.requested) {
  case requested_state::running:
    return towards_running(now);
  case requested_state::paused:
    return towards_paused(now);
  case requested_state::stopped:
    return towards_absent(actual_state::defined, now);
  case requested_state::deleted:
    return towards_absent(actual_state::gone, now);
  }
  return {};
}

vm_state::effects vm_state::towards_running(time_point now) {
  // It was asked to stop before its host was lost, and may not want to.
  const bool outlived_its_host
      = guest_->guest == presence::stopping && known_->vm.actual == actual_state::lost;
  if (!outlived_its_host)
    shutdown_asked_.reset();
  switch (guest_->guest) {
  case presence::absent: {
    const auto& vm = known_->vm;
    if (refused_ && refused_->epoch == vm.epoch)
      return failed(refused_->reason, now);
    if (vm.actual != actual_state::starting)
      return guest_vanished(now);
    return known_->may_start ? call(guest_call::create) : effects{};
  }
  case presence::paused:
    return known_->may_start ? call(guest_call::resume) : effects{};
  case presence::running:
    return observe(actual_state::running, {}, now);
  case presence::stopping:
    if (!outlived_its_host) // by itself; or by a word that a recovery has lost, and it doesn't obey
      return observe(actual_state::running, {}, now);
    if (!shutdown_asked_)
      shutdown_asked_ = now;
    return now - *shutdown_asked_ >= config_.shutdown_grace ? call(guest_call::destroy) : effects{};
  case presence::incoming:
    return call(guest_call::destroy); // no migration knows it
  case presence::crashed:
    return both(failed("the guest crashed", now), call(guest_call::destroy));
  }
  return {};
}

vm_state::effects vm_state::towards_paused(time_point now) {
  switch (guest_->guest) {
  case presence::absent:
    return guest_vanished(now);
  case presence::running:
  case presence::stopping:
    return call(guest_call::pause);
  case presence::paused:
    return observe(actual_state::paused, {}, now);
  case presence::incoming:
  case presence::crashed:
    return call(guest_call::destroy);
  }
  return {};
}

vm_state::effects vm_state::towards_absent(actual_state once_absent, time_point now) {
  switch (guest_->guest) {
  case presence::absent:
    shutdown_asked_.reset();
    return observe(once_absent, {}, now);
  case presence::running:
  case presence::stopping:
    if (once_absent == actual_state::gone)
      return call(guest_call::destroy);
    if (!shutdown_asked_) {
      shutdown_asked_ = now;
      return call(guest_call::shutdown);
    }
    return now - *shutdown_asked_ >= config_.shutdown_grace ? call(guest_call::destroy) : effects{};
  case presence::paused:
  case presence::incoming:
  case presence::crashed:
    return call(guest_call::destroy);
  }
  return {};
}

vm_state::effects vm_state::during_migration(time_point now) {
  auto died = absent() || guest_->guest == presence::crashed;
  if (mine() && known_->migration->phase == migration_phase::reserved && died)
    return guest_vanished(now); // which ends the migration, too
  return {};
}

vm_state::effects vm_state::guest_vanished(time_point now) {
  // What was seen when it went says more than that it is gone.
  if (observed_ && observed_->actual == actual_state::failed
      && observed_->epoch == known_->vm.epoch)
    return failed(observed_->reason, now);
  if (!guest_->powered_off)
    return failed("the guest ended by itself", now);
  return failed_already() ? effects{}
                          : observe(actual_state::defined, "the guest switched itself off", now);
}

/// The first word on a guest's end counts in the log; no other is needed.
vm_state::effects vm_state::failed(std::string reason, time_point now) {
  return failed_already() ? effects{} : observe(actual_state::failed, std::move(reason), now);
}

/// None after the first failure, so that what passes at once costs nobody time.
std::chrono::milliseconds vm_state::wait_after(unsigned failures_before) const {
  if (failures_before == 0)
    return std::chrono::milliseconds{0};
  const auto doublings = std::min(failures_before - 1, 16U);
  return std::min(config_.call_again * (1U << doublings), config_.call_again_at_most);
}

vm_state::effects vm_state::call(guest_call what) {
  calling_ = what;
  called_under_ = known_->vm.epoch;
  return {call_hypervisor{what}};
}

vm_state::effects vm_state::observe(actual_state actual, std::string reason, time_point now) {
  const auto& vm = known_->vm;
  if (vm.actual == actual && vm.seen_epoch == vm.epoch && vm.reason == reason)
    return {};
  vm_observation observation{vm.id, vm.epoch, actual, std::move(reason)};
  if (observed_ == observation && now - observed_at_ < config_.observe_again)
    return {};
  observed_ = observation;
  observed_at_ = now;
  return {report_observation{std::move(observation)}};
}

} // namespace novacron
