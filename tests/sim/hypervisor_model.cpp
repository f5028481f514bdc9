#include "hypervisor_model.hpp"

#include "hypervisor/errors.hpp"

#include <utility>
#include <vector>

namespace novacron::sim {

namespace {

failure failed(hypervisor_errc code, const char* call, const char* why) {
  return make_failure(code, std::string{"cannot "} + call + " the guest: " + why);
}

bool is_running(guest_phase phase) {
  return phase == guest_phase::running || phase == guest_phase::stopping;
}

} // namespace

// -- what happens to it --------------------------------------------------------------

void hypervisor_model::stop_daemon() {
  daemon_ = false;
  late_.clear();
  ++daemon_life_;
  for (auto& [vm, x] : guests_here_) {
    x.abort = x.abort || x.performing;
    x.doomed = x.doomed || x.phase == guest_phase::incoming;
  }
}

void hypervisor_model::start_daemon() {
  daemon_ = true;
  std::vector<std::pair<vm_id, uint64_t>> ending;
  for (auto& [vm, x] : guests_here_)
    if (x.doomed)
      ending.emplace_back(vm, x.number);
  for (auto [vm, number] : ending)
    remove_later(vm, number, luck_.between(50, 500));
  tell({});
}

void hypervisor_model::connection_lost() {
  listener_ = {};
  ++connection_;
  std::vector<vm_id> ending;
  for (auto& [vm, x] : guests_here_) {
    x.abort = x.abort || x.performing;
    if (x.phase == guest_phase::incoming)
      ending.push_back(vm);
  }
  for (auto vm : ending) {
    seen_.hit(probe::incoming_ends_with_agent);
    remove(vm);
  }
}

void hypervisor_model::power_loss() {
  listener_ = {};
  daemon_ = false;
  late_.clear();
  ++daemon_life_;
  while (!guests_here_.empty())
    remove(guests_here_.begin()->first);
}

void hypervisor_model::guest_ends(vm_id vm, bool in_order) {
  if (!guests_here_.contains(vm))
    return;
  if (in_order)
    tell(vm, true);
  remove(vm);
}

void hypervisor_model::guest_crashes(vm_id vm) {
  auto x = find(vm);
  if (x && is_running(x->phase))
    set_phase(*x, guest_phase::crashed);
}

void hypervisor_model::kill_ha_guests(uint64_t since, uint64_t within_ms) {
  for (auto& [vm, x] : guests_here_) {
    if (!x.spec.ha || x.dying)
      continue;
    seen_.hit(x.phase == guest_phase::running ? probe::fenced_at_the_deadline
                                              : probe::fenced_while_not_running);
    if (x.made_at > since)
      seen_.hit(probe::late_create_fenced);
    x.dying = true;
    remove_later(vm, x.number, luck_.below(within_ms + 1));
  }
}

void hypervisor_model::remove_later(vm_id vm, uint64_t number, uint64_t delay_ms) {
  time_.after(delay_ms, [this, vm, number] {
    if (auto x = find(vm); x && x->number == number)
      remove(vm);
  });
}

hypervisor_model::guest* hypervisor_model::find(vm_id vm) {
  auto found = guests_here_.find(vm);
  return found == guests_here_.end() ? nullptr : &found->second;
}

void hypervisor_model::set_phase(guest& x, guest_phase phase) {
  if (is_running(phase) && !is_running(x.phase))
    guests_.runs(host_, x.spec.vm, x.spec.epoch, x.spec.ha, x.body);
  if (!is_running(phase))
    guests_.stops(host_, x.spec.vm);
  x.phase = phase;
  guests_.say([&] {
    return "host " + std::to_string(host_.value.low) + ": vm " + std::to_string(x.spec.vm.value.low)
           + " is " + to_string(phase) + " under " + to_string(x.spec.epoch);
  });
  tell(x.spec.vm);
}

void hypervisor_model::remove(vm_id vm) {
  guests_.stops(host_, vm);
  guests_here_.erase(vm);
  guests_.say([&] {
    return "host " + std::to_string(host_.value.low) + ": vm " + std::to_string(vm.value.low)
           + " is gone";
  });
  tell(vm);
}

void hypervisor_model::tell(vm_id vm, bool powered_off) {
  // Events are lost with a connection that breaks; some just are.
  if (listener_ && daemon_ && (powered_off || luck_.below(8) != 0))
    listener_({vm, powered_off});
}

void hypervisor_model::loaded(vm_id vm, const guest_body& with) {
  if (auto x = find(vm); x && x->phase == guest_phase::incoming) {
    x->body = with;
    x->complete = true;
  }
}

void hypervisor_model::performed(vm_id vm, bool well) {
  auto x = find(vm);
  if (!x || !x->performing)
    return;
  x->performing = false;
  x->abort = false;
  x->migration_source = well;
  if (well)
    set_phase(*x, guest_phase::paused);
}

// -- calls ---------------------------------------------------------------------------

void hypervisor_model::act_on_what_is_late(vm_id vm) {
  auto waiting = late_.extract(vm);
  if (!waiting)
    return;
  for (auto& [number, act] : waiting.mapped()) {
    seen_.hit(probe::effect_came_late);
    static_cast<void>(act());
  }
}

result<void> hypervisor_model::change(const char* call, vm_id vm, effect act, bool makes_it) {
  if (!daemon_)
    return failed(hypervisor_errc::unreachable, call, "the daemon is gone");
  if (!makes_it)
    act_on_what_is_late(vm);
  if (luck_.permille(faults_.refuse_permille))
    return failed(hypervisor_errc::refused, call, "the daemon refuses");
  if (luck_.permille(faults_.late_permille)) {
    const auto number = ++numbers_;
    if (!makes_it)
      late_[vm].emplace(number, act);
    time_.after(luck_.between(1, faults_.late_max_ms),
                [this, vm, number, makes_it, act = std::move(act), life = daemon_life_] {
                  if (life != daemon_life_)
                    return;
                  if (auto mine = late_.find(vm);
                      !makes_it && (mine == late_.end() || mine->second.erase(number) == 0))
                    return; // came before the next call
                  seen_.hit(probe::effect_came_late);
                  static_cast<void>(act());
                });
    return failed(hypervisor_errc::outcome_unknown, call, "the connection broke");
  }
  if (luck_.permille(faults_.die_in_call_permille)) {
    if (luck_.below(2) == 0)
      static_cast<void>(act());
    throw agent_died{};
  }
  auto done = act();
  if (luck_.permille(faults_.lose_answer_permille)) {
    seen_.hit(probe::answer_lost);
    return failed(hypervisor_errc::outcome_unknown, call, "the answer was lost");
  }
  return done;
}

result<hypervisor_model::guest*> hypervisor_model::wanted(const char* call, vm_id vm) {
  if (auto x = find(vm))
    return x;
  return failed(hypervisor_errc::no_such_guest, call, "it isn't here");
}

result<std::vector<guest_status>> hypervisor_model::list() {
  if (!daemon_)
    return failed(hypervisor_errc::unreachable, "list", "the daemon is gone");
  std::vector<guest_status> all;
  for (const auto& [vm, x] : guests_here_)
    all.push_back({vm, x.spec.epoch, x.doomed ? guest_phase::paused : x.phase, x.migration_source});
  return all;
}

result<void> hypervisor_model::create(const guest_spec& spec) {
  return change(
      "create", spec.vm,
      [this, spec]() -> result<void> {
        if (guests_here_.contains(spec.vm))
          return failed(hypervisor_errc::already_there, "create", "a guest of that VM is here");
        auto& x = guests_here_[spec.vm];
        x.spec = spec;
        x.number = ++numbers_;
        x.body = guests_.created();
        x.made_at = time_.now();
        tell(spec.vm);
        return {};
      },
      true);
}

result<void> hypervisor_model::resume(vm_id vm) {
  return change("resume", vm, [this, vm]() -> result<void> {
    auto x = wanted("resume", vm);
    if (!x)
      return x.error();
    if ((*x)->phase == guest_phase::incoming || (*x)->phase == guest_phase::crashed
        || (*x)->performing)
      return failed(hypervisor_errc::refused, "resume", "it can't be resumed now");
    if ((*x)->phase == guest_phase::paused) {
      (*x)->migration_source = false;
      set_phase(**x, guest_phase::running);
    }
    return {};
  });
}

result<void> hypervisor_model::pause(vm_id vm) {
  return change("pause", vm, [this, vm]() -> result<void> {
    auto x = wanted("pause", vm);
    if (!x)
      return x.error();
    if (!is_running((*x)->phase))
      return failed(hypervisor_errc::refused, "pause", "it doesn't run");
    set_phase(**x, guest_phase::paused);
    return {};
  });
}

result<void> hypervisor_model::shutdown(vm_id vm) {
  return change("shut down", vm, [this, vm]() -> result<void> {
    auto x = wanted("shut down", vm);
    if (!x)
      return x.error();
    if ((*x)->phase != guest_phase::running)
      return failed(hypervisor_errc::refused, "shut down", "it doesn't run");
    set_phase(**x, guest_phase::stopping);
    // Most guests obey; some never do.
    if (luck_.below(4) != 0)
      time_.after(luck_.between(20, 2'000), [this, vm, number = (*x)->number] {
        if (auto there = find(vm); there && there->number == number)
          guest_ends(vm, true);
      });
    return {};
  });
}

result<void> hypervisor_model::destroy(vm_id vm) {
  return change("destroy", vm, [this, vm]() -> result<void> {
    auto x = wanted("destroy", vm);
    if (!x)
      return x.error();
    remove(vm);
    return {};
  });
}

result<void> hypervisor_model::adopt(vm_id vm, novacron::epoch epoch) {
  return change("adopt", vm, [this, vm, epoch]() -> result<void> {
    auto x = wanted("adopt", vm);
    if (!x)
      return x.error();
    (*x)->spec.epoch = epoch;
    return {};
  });
}

// -- migrations ----------------------------------------------------------------------

result<migration_offer> hypervisor_model::migration_begin(vm_id vm) {
  if (!daemon_)
    return failed(hypervisor_errc::unreachable, "migrate", "the daemon is gone");
  auto x = wanted("migrate", vm);
  if (!x)
    return x.error();
  return migration_offer{to_string(vm), "begin"};
}

result<std::string> hypervisor_model::migration_prepare(const prepare_request& request) {
  auto done = change(
      "prepare", request.spec.vm,
      [this, spec = request.spec, connection = connection_]() -> result<void> {
        if (connection != connection_) // late, and whoever asked is gone with it
          return failed(hypervisor_errc::unreachable, "prepare", "nobody asks any more");
        if (guests_here_.contains(spec.vm))
          return failed(hypervisor_errc::already_there, "prepare", "a guest of that VM is here");
        auto& x = guests_here_[spec.vm];
        x.spec = spec;
        x.number = ++numbers_;
        x.phase = guest_phase::incoming;
        x.made_at = time_.now();
        tell(spec.vm);
        return {};
      },
      true);
  return done ? result<std::string>{"prepare"} : done.error();
}

result<std::string> hypervisor_model::migration_perform(vm_id vm, const perform_request&) {
  if (auto left = answers_.extract(vm))
    return std::move(left.mapped());
  if (!daemon_)
    return failed(hypervisor_errc::unreachable, "migrate", "the daemon is gone");
  act_on_what_is_late(vm);
  auto x = wanted("migrate", vm);
  if (!x)
    return x.error();
  if ((*x)->performing || !is_running((*x)->phase))
    return failed(hypervisor_errc::refused, "migrate", "it can't be sent now");
  (*x)->performing = true;
  (*x)->abort = false;
  return std::string{"begun"};
}

result<std::string> hypervisor_model::migration_finish(vm_id vm, const std::string&,
                                                       bool cancelled) {
  auto done = change("finish", vm, [this, vm, cancelled]() -> result<void> {
    auto x = wanted("finish", vm);
    if (!x)
      return cancelled ? result<void>{} : x.error();
    const bool incoming = (*x)->phase == guest_phase::incoming;
    if ((*x)->doomed || (!incoming && !cancelled && (*x)->phase == guest_phase::paused))
      return failed(hypervisor_errc::outcome_unknown, "finish",
                    "it is neither incoming nor running; look again");
    if (!incoming)
      return cancelled ? failed(hypervisor_errc::refused, "cancel", "it is finished")
                       : result<void>{};
    if (cancelled || !(*x)->complete) {
      remove(vm);
      return cancelled ? result<void>{}
                       : failed(hypervisor_errc::refused, "finish", "its memory is not complete");
    }
    set_phase(**x, guest_phase::running);
    return {};
  });
  return done ? result<std::string>{"finish"} : done.error();
}

result<void> hypervisor_model::migration_confirm(vm_id vm, const std::string&) {
  return change("confirm", vm, [this, vm]() -> result<void> {
    auto x = find(vm);
    if (!x)
      return {};
    if (!x->migration_source)
      return failed(hypervisor_errc::refused, "confirm", "it is no source that was sent");
    remove(vm);
    return {};
  });
}

result<void> hypervisor_model::migration_abort(vm_id vm) {
  return change("abort", vm, [this, vm]() -> result<void> {
    auto x = wanted("abort", vm);
    if (!x)
      return x.error();
    (*x)->abort = (*x)->abort || (*x)->performing;
    return {};
  });
}

} // namespace novacron::sim
