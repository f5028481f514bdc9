#include "cluster.hpp"

#include "messages/codec.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

// Numbers in the network, apart from the replicas'.
constexpr uint64_t first_host = 20'000;
constexpr uint64_t first_client = 30'000;
constexpr uint64_t drift_every_ms = 3'000;
constexpr uint64_t kill_both_restart_ms = 300; ///< systemd's, when agent and fencer are gone

} // namespace

cluster::cluster(world& all, const fleet_settings& how) : all_{all}, fleet_{all, how} {
  // nop
}

cluster::~cluster() = default;

void cluster::make_hosts() {
  for (uint64_t i = 1; i <= fleet_.settings.hosts; ++i)
    hosts_.push_back(make_host(first_host + i));
}

bool cluster::propose(replica_node& at, command_batch what, replica_node::proposal_callback done) {
  return at.propose(encode(what), std::move(done));
}

bool cluster::change_members(uint64_t) {
  return false;
}

std::string cluster::unsettled(const cluster_state&, const membership&) {
  return {};
}

void cluster::begin() {
  const auto& how = fleet_.settings;
  drift();
  for (auto& each : hosts_)
    each->start();
  for (uint64_t i = 1; i <= how.clients; ++i) {
    const auto number = first_client + i;
    clients_.push_back(std::make_unique<client>(fleet_, number, make_line(number)));
    clients_.back()->begin();
  }
  if (how.crowd > 0)
    crowd_ = std::make_unique<crowd>(fleet_, make_line(first_client + how.clients + 1));
  every(drift_every_ms, [this] { drift(); });
  every(how.clock_jump_every_ms, [this] { jump_clock(); });
  every(how.agent_crash_every_ms, [this] { crash_agent(); });
  every(how.freeze_every_ms, [this] { freeze_agent(); });
  every(how.power_loss_every_ms, [this] { lose_power(); });
  every(how.cut_every_ms, [this] { cut_off(some_host().number()); });
  every(how.fencer_kill_every_ms, [this] { kill_fencer(); });
  every(how.daemon_death_every_ms, [this] { kill_daemon(); });
  every(how.daemon_hang_every_ms, [this] { hang_daemon(); });
  every(how.actor_kill_every_ms, [this] { kill_actor(); });
  every(how.guest_end_every_ms, [this] { end_guest(); });
}

void cluster::every(uint64_t mean_ms, std::function<void()> call) {
  if (mean_ms == 0 || !faults_)
    return;
  all_.time.after(1 + all_.luck.below(2 * mean_ms), [this, mean_ms, what = std::move(call)] {
    if (!faults_)
      return;
    what();
    every(mean_ms, what);
  });
}

void cluster::crowd_comes() {
  if (crowd_)
    crowd_->come();
}

// -- faults --------------------------------------------------------------------------

any_host& cluster::some_host() {
  return *hosts_[all_.luck.below(hosts_.size())];
}

void cluster::drift() {
  const auto bound = fleet_.settings.drift_ppm;
  auto one = [&] {
    return static_cast<int64_t>(all_.luck.below(2 * bound + 1)) - static_cast<int64_t>(bound);
  };
  for (auto& [number, clock] : controllers_)
    clock->drift(one());
  for (auto& each : hosts_)
    each->box.clock.drift(one());
}

void cluster::jump_clock() {
  const auto most = static_cast<int64_t>(fleet_.settings.clock_jump_max_ms);
  const std::chrono::milliseconds by{
      static_cast<int64_t>(all_.luck.below(static_cast<uint64_t>(2 * most))) - most};
  const auto which = all_.luck.below(controllers_.size() + hosts_.size());
  auto& clock = which < controllers_.size() ? *controllers_[which].second
                                            : hosts_[which - controllers_.size()]->box.clock;
  clock.jump(by);
}

// Agent and fencer look after each other: whoever loses both, or one while the
// other can't act, isn't fenced until somebody starts the agent again. That is
// known, see hypervisor/fencer, and no more than systemd's delay is tried here.

void cluster::crash_agent() {
  auto& host = some_host();
  if (!host.box.fencer_runs())
    return;
  host.crash();
  host.restart_agent_within(fleet_.settings.agent_down_max_ms);
}

void cluster::freeze_agent() {
  auto& host = some_host();
  if (host.box.fencer_runs())
    host.freeze(all_.luck.between(100, fleet_.settings.freeze_max_ms));
}

void cluster::lose_power() {
  auto& host = some_host();
  if (!host.box.powered())
    return;
  host.power_loss();
  all_.time.after(all_.luck.between(50, fleet_.settings.power_down_max_ms), [&host] {
    if (!host.box.powered())
      host.box.power_on();
    host.start();
  });
}

void cluster::cut_off(uint64_t one) {
  const auto way = all_.luck.below(3); // out, in, both
  const bool from_all = all_.luck.below(3) != 0;
  std::vector<std::pair<uint64_t, uint64_t>> cuts;
  auto cut_from = [&](uint64_t other) {
    if (other == one || (!from_all && all_.luck.below(2) == 0))
      return;
    if (way != 0)
      cuts.emplace_back(other, one);
    if (way != 1)
      cuts.emplace_back(one, other);
  };
  for (const auto& [number, clock] : controllers_)
    cut_from(number);
  for (auto& each : hosts_)
    cut_from(each->number());
  for (auto [from, to] : cuts)
    all_.net.cut(from, to);
  all_.time.after(all_.luck.between(100, fleet_.settings.cut_max_ms), [this, cuts] {
    for (auto [from, to] : cuts)
      all_.net.join(from, to);
  });
}

void cluster::kill_fencer() {
  auto& host = some_host();
  if (!host.box.fencer_runs() || !host.up() || host.frozen())
    return;
  all_.seen.hit(probe::fencer_killed);
  host.box.kill_fencer();
  if (all_.luck.below(2) != 0)
    return;
  all_.seen.hit(probe::fencer_killed_with_agent);
  host.crash();
  host.restart_agent_within(kill_both_restart_ms);
}

void cluster::kill_daemon() {
  auto& host = some_host();
  if (!host.box.fencer_runs() || !host.box.driver->daemon_runs())
    return;
  all_.seen.hit(probe::daemon_died);
  host.box.driver->stop_daemon();
  all_.time.after(all_.luck.between(100, 2'000), [&host] {
    if (host.box.fencer_runs() && !host.box.driver->daemon_runs())
      host.box.driver->start_daemon();
  });
}

void cluster::hang_daemon() {
  some_host().box.driver->hang_until(all_.time.now() + all_.luck.between(200, 5'000));
}

void cluster::kill_actor() {
  auto& host = some_host();
  if (host.up() && !host.frozen())
    host.kill_some_actor();
}

void cluster::end_guest() {
  auto& driver = *some_host().box.driver;
  if (driver.guests().empty())
    return;
  const auto which = static_cast<std::ptrdiff_t>(all_.luck.below(driver.guests().size()));
  const auto vm = std::next(driver.guests().begin(), which)->first;
  if (all_.luck.below(4) == 0)
    driver.guest_crashes(vm);
  else
    driver.guest_ends(vm, all_.luck.below(2) == 0);
}

void cluster::end_by_hand(const cluster_state& state) {
  for (auto& each : hosts_) {
    std::vector<vm_id> doomed;
    for (const auto& [vm, guest] : each->box.driver->guests()) {
      const auto* record = state.find(vm);
      const auto* host = state.find(fleet::node_of(each->number()));
      const auto* migration = record ? state.find(record->migration) : nullptr;
      const bool stranger = !record && fleet_.past.lost(vm);
      const bool ahead = host && host->is_awaited() && migration && migration->undecided()
                         && migration->to == host->id && record->epoch < guest.spec.epoch;
      if (stranger || ahead)
        doomed.push_back(vm);
    }
    for (auto vm : doomed) {
      all_.seen.hit(probe::guest_ended_by_hand);
      each->box.driver->guest_ends(vm, false);
    }
  }
}

// -- the end -------------------------------------------------------------------------

void cluster::mend() {
  faults_ = false;
  for (auto& each : clients_)
    each->stop();
  for (auto& each : hosts_) {
    each->thaw();
    each->box.driver->calm();
    if (!each->box.powered())
      each->box.power_on();
    each->start();
  }
}

namespace {

std::string named(vm_id vm) {
  return "vm " + std::to_string(vm.value.low);
}

/// What is wrong between what is wanted of a VM and what its host shows; empty: nothing.
std::string wrong_with(const vm_record& vm, const hypervisor_model::guest* guest) {
  using enum actual_state;
  auto told = [&] {
    return named(vm.id) + " is to be " + to_string(vm.requested) + ", is " + to_string(vm.actual)
           + " under " + to_string(vm.epoch) + (vm.reason.empty() ? "" : ": " + vm.reason)
           + (guest ? "; its host has it " + to_string(guest->phase) + " under "
                          + to_string(guest->spec.epoch)
                    : "; its host has nothing of it");
  };
  auto runs = [&](guest_phase phase) {
    return guest && guest->phase == phase && guest->spec.epoch == vm.epoch;
  };
  const bool gave_up = vm.actual == failed && vm.restarts.due == log_time{} && !guest;
  bool good = false;
  switch (vm.requested) {
  case requested_state::running:
    good = gave_up
           || (vm.actual == running && runs(guest_phase::running))
           // It was asked to end, by a call that came late or what a recovery lost, and doesn't
           // obey.
           || (vm.actual == running && runs(guest_phase::stopping));
    break;
  case requested_state::paused:
    good = gave_up || (vm.actual == paused && runs(guest_phase::paused));
    break;
  case requested_state::stopped:
    good = vm.actual == defined && !guest;
    break;
  case requested_state::deleted:
    good = vm.actual == gone && !guest;
    break;
  }
  return good ? std::string{} : told();
}

} // namespace

std::string cluster::unfinished(const cluster_state& state) {
  for (const auto& each : clients_)
    if (!each->idle())
      return "a client still waits for its answer";
  if (crowd_ && !crowd_->idle())
    return "a crowd still waits for its answers";
  for (const auto& each : hosts_)
    if (auto record = state.find(fleet::node_of(each->number()));
        !each->up() || !record || record->state != host_state::up)
      return "host " + std::to_string(each->number()) + " is not up";
  for (const auto& each : state.records()) {
    if (auto migration = std::get_if<migration_record>(&each); migration && !migration->over())
      return "migration " + std::to_string(migration->id.value.low) + " of " + named(migration->vm)
             + " is " + to_string(migration->phase)
             + (migration->source_clean ? ", source clean" : "")
             + (migration->destination_clean ? ", destination clean" : "");
    if (auto operation = std::get_if<operation_record>(&each);
        operation && operation->state == operation_state::running)
      return "an operation to " + to_string(operation->verb) + " " + named(operation->vm)
             + " still runs";
    auto vm = std::get_if<vm_record>(&each);
    if (!vm)
      continue;
    auto host = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& x) {
      return x->number() == fleet::number_of(vm->host);
    });
    if (host == hosts_.end())
      continue; // a host that was only spoken of
    if (auto wrong = wrong_with(*vm, (*host)->box.driver->find(vm->id)); !wrong.empty())
      return wrong;
  }
  for (const auto& each : hosts_)
    for (const auto& [vm, guest] : each->box.driver->guests())
      if (auto record = state.find(vm); !record || record->host != fleet::node_of(each->number()))
        return "host " + std::to_string(each->number()) + " has a guest of " + named(vm)
               + " that isn't placed there";
  return {};
}

std::string cluster::describe() const {
  std::string text;
  for (const auto& each : hosts_)
    text += "\n  " + each->describe();
  return text;
}

} // namespace novacron::sim
