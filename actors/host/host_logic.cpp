#include "actors/host/host_logic.hpp"

#include "actors/host/host_notes.hpp"

#include <type_traits>
#include <utility>

namespace novacron {

namespace {

guest_seen::presence presence_of(guest_phase phase) {
  switch (phase) {
  case guest_phase::paused:
    return guest_seen::presence::paused;
  case guest_phase::running:
    return guest_seen::presence::running;
  case guest_phase::stopping:
    return guest_seen::presence::stopping;
  case guest_phase::incoming:
    return guest_seen::presence::incoming;
  case guest_phase::crashed:
    return guest_seen::presence::crashed;
  }
  return guest_seen::presence::crashed;
}

} // namespace

host_logic::host_logic(host_settings settings)
    : settings_{std::move(settings)}, table_{settings_.self.id},
      follower_{feed_filter{settings_.self.id}, true, table_.sink(), phase_of(settings_.self.id)},
      lease_{settings_.lease_term, settings_.renew_every} {
  // nop
}

host_effects host_logic::tick(host_moment now) {
  host_effects out;
  register_self(now, out);
  renew_if_due(now, out);
  guard_again(now, out);
  pass_on_permission(now, out);
  report(now, out);
  start_again(now, out);
  serve_early_requests(now, out);
  look_if_due(now, out);
  return out;
}

// -- the log -----------------------------------------------------------------------

void host_logic::register_self(host_moment now, host_effects& out) {
  if (registered_ && now.now >= say_again_at_ && log_has_less())
    registered_ = false;
  if (registered_ || asking_to_register_ || now.now < register_not_before_)
    return;
  asking_to_register_ = true;
  register_not_before_ = now.now + settings_.register_again;
  say_again_at_ = now.now + settings_.say_again_after;
  out.emplace_back(propose_registration{{settings_.self}});
}

/// While a cluster is upgraded its log doesn't keep what the older programs don't know.
bool host_logic::log_has_less() const {
  const auto& me = settings_.self;
  const auto* known = table_.find(me.id);
  return known && follower_.revision() >= registered_at_ && known->boot == me.boot
         && (known->networks != me.networks || known->migrations_at_once != me.migrations_at_once
             || known->migrations_between_sites != me.migrations_between_sites);
}

host_effects host_logic::registered(const std::optional<command_outcome>& outcome) {
  asking_to_register_ = false;
  registered_ = outcome && outcome->ok();
  if (!outcome || registered_) // it wasn't refused
    register_not_before_ = {};
  if (registered_) {
    registered_at_ = outcome->revision;
    look_counts_ = false;
    return say("registered", false);
  }
  if (outcome)
    return say("not registered: " + outcome->detail, true);
  return {};
}

void host_logic::report(host_moment now, host_effects& out) {
  const auto& me = settings_.self;
  if (auto next = reports_.next(me.id, me.boot, static_cast<uint64_t>(now.boot.count())))
    out.emplace_back(propose_report{std::move(*next)});
}

host_effects host_logic::reported(const std::optional<command_outcome>& outcome) {
  reports_.ended();
  if (outcome && doesnt_know_us(outcome->error))
    registered_ = false;
  return {};
}

host_effects host_logic::log_changed(host_moment now) {
  host_effects out;
  for (auto vm : table_.take_changed_vms())
    tell(vm, now, out);
  for (auto migration : table_.take_changed_migrations())
    tell(migration, out);
  return out;
}

// -- the lease ---------------------------------------------------------------------

void host_logic::renew_if_due(host_moment now, host_effects& out) {
  if (!registered_)
    return;
  const auto& me = settings_.self;
  if (auto attempt = lease_.tick(now.boot))
    out.emplace_back(propose_renewal{*attempt, {me.id, me.boot, settings_.lease_term}});
}

host_effects host_logic::renewed(uint64_t attempt, const std::optional<command_outcome>& outcome,
                                 host_moment now) {
  if (!outcome)
    return {};
  if (doesnt_know_us(outcome->error))
    registered_ = false;
  if (!outcome->ok())
    return {}; // a log that is busy, or that nobody leads, is asked again with the next renewal
  host_effects out;
  if (auto deadline = lease_.granted(attempt, outcome->revision, now.boot))
    guard(*deadline, now, out);
  return out;
}

void host_logic::guard(std::chrono::nanoseconds deadline, host_moment now, host_effects& out) {
  deadline_ = deadline;
  guarded_at_ = now.boot;
  guarding_ = true;
  out.emplace_back(move_deadline{deadline});
}

void host_logic::guard_again(host_moment now, host_effects& out) {
  if (guarding_) {
    guarded_at_ = now.boot;
  } else if (now.boot - guarded_at_ < settings_.guard_every) {
    return;
  } else if (deadline_) {
    guard(*deadline_, now, out);
  } else { // we were restarted, and the fencer has a deadline from before
    guarded_at_ = now.boot;
    guarding_ = true;
    out.emplace_back(keep_fencer{});
  }
}

host_effects host_logic::fencer_kept(const std::optional<failure>& problem) {
  guarding_ = false;
  if (problem)
    return say("there is no fencer: " + problem->message, true);
  return {};
}

host_effects host_logic::guarded(std::chrono::nanoseconds deadline,
                                 const std::optional<failure>& problem) {
  guarding_ = false;
  if (problem)
    return say("the fencer did not take the lease: " + problem->message, true);
  lease_.guarded_until(deadline);
  return {};
}

bool host_logic::word_is_current(std::chrono::nanoseconds boot) const {
  return lease_.held(boot) && lease_.revision() != 0 && !follower_.between_pages()
         && follower_.revision() >= lease_.revision();
}

bool host_logic::starting_allowed(std::chrono::nanoseconds boot) const {
  return word_is_current(boot) && reconciled_ == lease_.revision() && !table_.hosts_awaited();
}

/// VMs' actors hear of the permission to start when it comes or goes; also those
/// that were told something else than we said, since it went and came between ticks.
void host_logic::pass_on_permission(host_moment now, host_effects& out) {
  auto may_start = starting_allowed(now.boot);
  if (std::exchange(may_start_, may_start) != may_start)
    say(out,
        may_start ? "guests may start: the lease is held"
        : table_.hosts_awaited()
            ? "no guest may start: after the recovery not all hosts have said what runs there"
            : "no guest may start: the lease is not held",
        false);
  std::vector<vm_id> told_otherwise;
  for (const auto& [vm, actor] : vms_)
    if (actor.there && actor.may_start != may_start)
      told_otherwise.push_back(vm);
  for (auto vm : told_otherwise)
    tell(vm, now, out);
}

// -- the hypervisor ----------------------------------------------------------------

void host_logic::look_if_due(host_moment now, host_effects& out) {
  const bool inventory_is_due
      = (word_is_current(now.boot) && reconciled_ != lease_.revision()) || awaited();
  const auto pause = inventory_is_due ? settings_.inventory_every : settings_.look_every;
  auto due = look_soon_ || now.now - looked_at_ >= pause;
  if (!due || looking_ || !follower_.complete())
    return;
  looking_ = true;
  look_soon_ = false;
  look_counts_ = registered_ && follower_.revision() >= registered_at_;
  looked_at_ = now.now;
  out.emplace_back(look_at_guests{});
}

guest_seen host_logic::sight_of(vm_id vm, std::chrono::steady_clock::time_point asked) const {
  guest_seen seen;
  seen.asked = asked;
  seen.powered_off = table_.powered_off(vm);
  if (auto guest = guests_.find(vm); guest != guests_.end()) {
    seen.guest = presence_of(guest->second.phase);
    seen.epoch = guest->second.epoch;
    seen.migration_source = guest->second.migration_source;
  }
  return seen;
}

host_effects host_logic::looked(const result<std::vector<guest_status>>& guests,
                                std::chrono::steady_clock::time_point asked, host_moment now) {
  looking_ = false;
  if (!guests)
    return say(guests.error().message, true);
  host_effects out;
  guests_.clear();
  for (const auto& guest : *guests)
    guests_.emplace(guest.vm, guest);
  for (const auto& [vm, guest] : guests_)
    if (!vms_.contains(vm) && table_.find(vm))
      need(vm, out); // placed elsewhere, but something of it is here
  for (const auto& [vm, actor] : vms_)
    if (actor.there)
      out.emplace_back(show_guest{vm, sight_of(vm, asked)});
  take_inventory(now, out);
  if (!follower_.between_pages()) // the next one may say that a VM's migration isn't over
    table_.forget_elsewhere([this](vm_id x) { return vms_.contains(x) || guests_.contains(x); });
  return out;
}

// -- actors of VMs -----------------------------------------------------------------

void host_logic::need(vm_id vm, host_effects& out) {
  vms_.insert_or_assign(vm, vm_actor_known{}); // a repeat would be harmless, but not free
  out.emplace_back(need_vm_actor{vm});
}

host_effects host_logic::present(vm_id vm, host_moment now) {
  vms_[vm].there = true;
  look_soon_ = true;
  host_effects out;
  tell(vm, now, out);
  return out;
}

host_effects host_logic::absent(vm_id vm, host_moment now) {
  host_effects out;
  if (vms_.erase(vm) > 0)
    tell(vm, now, out); // finds or starts the next incarnation, if one is needed
  return out;
}

void host_logic::not_started(vm_id vm, host_moment now) {
  vms_.erase(vm);
  vms_again_.insert_or_assign(vm, now.now + settings_.start_again_after);
}

void host_logic::not_started(migration_id migration, host_moment now) {
  migrations_.erase(migration);
  migrations_again_.insert_or_assign(migration, now.now + settings_.start_again_after);
}

/// The guests' supervisor was not there, or died with what we asked of it: we ask
/// again, whether or not the log has something new of it.
void host_logic::start_again(host_moment now, host_effects& out) {
  auto take_due = [&](auto& waiting) {
    std::vector<typename std::remove_cvref_t<decltype(waiting)>::key_type> due;
    std::erase_if(waiting, [&](const auto& each) {
      if (now.now < each.second)
        return false;
      due.push_back(each.first);
      return true;
    });
    return due;
  };
  for (auto vm : take_due(vms_again_))
    tell(vm, now, out);
  for (auto migration : take_due(migrations_again_))
    tell(migration, out);
}

std::optional<vm_changed> host_logic::attached(vm_id vm, host_moment now) {
  auto word = table_.word_for(vm);
  if (!word)
    return std::nullopt;
  look_soon_ = true;
  word->may_start = starting_allowed(now.boot);
  vms_.insert_or_assign(vm, vm_actor_known{true, word->may_start});
  return word;
}

void host_logic::tell(vm_id vm, host_moment now, host_effects& out) {
  auto word = table_.word_for(vm);
  auto actor = vms_.find(vm);
  if (!word) {
    if (actor != vms_.end() && !guests_.contains(vm)) {
      vms_.erase(actor);
      out.emplace_back(end_vm_actor{vm});
    }
    return;
  }
  if (actor == vms_.end()) {
    if (table_.needs_actor(word->vm))
      need(vm, out);
    return;
  }
  if (!actor->second.there)
    return; // it is starting, and will be told
  word->may_start = starting_allowed(now.boot);
  actor->second.may_start = word->may_start;
  out.emplace_back(tell_vm{std::move(*word)});
}

} // namespace novacron
