#include "host_agent.hpp"

#include "actors/vm/guest_calls.hpp"
#include "hypervisor/errors.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t tick_ms = 30;
constexpr uint64_t vm_tick_ms = 500;
constexpr uint64_t probe_ms = 500;
constexpr uint64_t propose_patience_ms = 3'000;
constexpr uint64_t spawn_ms = 3;
constexpr uint64_t restart_ms = 300; ///< systemd's, after a crash
constexpr uuid fencer_key{1, 0};     ///< of what waits for the fencer, not the hypervisor

host_record record_of(const host_node& node) {
  host_record self;
  self.id = fleet::node_of(node.number());
  self.name = "host-" + std::to_string(node.number());
  self.mesh_address = self.page_address = std::to_string(node.number()) + ":1";
  self.vcpus = 64;
  self.memory_mib = 1'000;
  self.images = {"tick"};
  self.hypervisor = self.accelerator = "simulated";
  self.boot = node.box.boot();
  self.fences = true;
  return self;
}

std::shared_ptr<host_context> context_of(const fleet& with, const host_node& node) {
  auto context = std::make_shared<host_context>();
  context->self = record_of(node);
  context->images["tick"] = {};
  context->driver = node.box.driver;
  context->self.migrations_at_once = static_cast<uint32_t>(with.settings.migrations_at_once);
  context->lease_term = std::chrono::milliseconds{with.settings.lease_term_ms};
  context->renew_every = std::chrono::milliseconds{with.settings.renew_every_ms};
  return context;
}

} // namespace

host_agent::host_agent(fleet& with, host_node& node)
    : with_{with}, node_{node}, life_{node.life()}, context_{context_of(with, node)},
      logic_{{context_->self, context_->lease_term, context_->renew_every}},
      line_{with, node.number(), [&node, life = node.life()](std::function<void()> call) {
              node.deliver(life, std::move(call));
            }} {
  // nop
}

void host_agent::begin() {
  context_->driver->subscribe([this](const guest_event& event) {
    later(1, [this, event] {
      if (event.powered_off)
        logic_.powers_off(event.vm);
      logic_.look_soon();
    });
  });
  tick();
  probe();
}

host_moment host_agent::moment() const {
  return {node_.box.clock.steady(), node_.box.clock.boot_time()};
}

void host_agent::later(uint64_t delay_ms, std::function<void()> call) {
  with_.all.time.after(delay_ms, [node = &node_, life = life_, what = std::move(call)] {
    node->deliver(life, what);
  });
}

void host_agent::tick() {
  follow();
  carry_out(logic_.tick(moment()));
  later(tick_ms, [this] { tick(); });
}

void host_agent::probe() {
  line_.probe();
  later(probe_ms, [this] { probe(); });
}

void host_agent::follow() {
  auto& follower = logic_.follower();
  auto question = follower.next(now());
  if (!question)
    return;
  auto answered = [this, &follower](auto took, const auto& answer) {
    if (!answer) {
      follower.failed(now());
      return;
    }
    (follower.*took)(*answer, now());
    carry_out(logic_.log_changed(moment()));
    follow();
  };
  if (auto which = std::get_if<list_request>(&*question))
    line_.list(*which, [answered](const auto& page) { answered(&feed_follower::listed, page); });
  else
    line_.pull(std::get<pull_request>(*question),
               [answered](const auto& changes) { answered(&feed_follower::changed, changes); });
}

void host_agent::propose(command_body what,
                         std::function<void(const std::optional<command_outcome>&)> then) {
  line_.propose({{command{std::move(what), {}}}}, propose_patience_ms,
                [then](const std::optional<outcomes>& answer) {
                  then(answer && answer->each.size() == 1 ? std::optional{answer->each.front()}
                                                          : std::nullopt);
                });
}

// -- work that blocks ----------------------------------------------------------------

void host_agent::run(const uuid& key, std::function<std::function<void()>()> work) {
  auto& queue = work_[key];
  queue.push_back(std::move(work));
  if (queue.size() == 1)
    run_next(key);
}

void host_agent::run_next(const uuid& key) {
  const auto& rates = with_.settings.hypervisor;
  auto& luck = with_.all.luck;
  const auto hangs = key == fencer_key ? 0 : node_.box.driver->hangs_until();
  const auto present = with_.all.time.now();
  const auto wait = luck.between(0, 2) + (hangs > present ? hangs - present : 0);
  later(wait, [this, key, &rates, &luck, node = &node_, with = &with_] {
    std::function<void()> then;
    try {
      then = work_.at(key).front()();
    } catch (const agent_died&) {
      with->all.seen.hit(probe::agent_died_in_call);
      node->crash(); // this, too
      node->restart_agent_within(restart_ms);
      return;
    }
    later(luck.between(rates.latency_min_ms, rates.latency_max_ms), [this, key, then] {
      auto& queue = work_.at(key);
      queue.pop_front();
      if (!queue.empty())
        run_next(key);
      then();
    });
  });
}

// -- the host's effects --------------------------------------------------------------

void host_agent::carry_out(const host_effects& effects) {
  for (const auto& effect : effects)
    std::visit([this](const auto& each) { carry_out(each); }, effect);
}

void host_agent::carry_out(const propose_registration& what) {
  propose(what.command, [this](const auto& x) { carry_out(logic_.registered(x)); });
}

void host_agent::carry_out(const propose_renewal& what) {
  propose(what.command, [this, attempt = what.attempt](const auto& x) {
    carry_out(logic_.renewed(attempt, x, moment()));
  });
}

void host_agent::carry_out(const propose_inventory& what) {
  propose(what.command, [this](const auto& x) { carry_out(logic_.inventory_confirmed(x)); });
}

void host_agent::carry_out(const propose_report& what) {
  propose(what.report, [this](const auto& x) { carry_out(logic_.reported(x)); });
}

void host_agent::carry_out(const novacron::move_deadline& what) {
  auto guarded = [this, deadline = what.deadline](const std::optional<failure>& problem) {
    if (!problem)
      context_->guarded_until = deadline;
    carry_out(logic_.guarded(deadline, problem));
  };
  auto failed
      = [guarded] { guarded(make_failure(hypervisor_errc::unreachable, "there is no fencer")); };
  run(fencer_key, [this, guarded, failed, deadline = what.deadline]() -> std::function<void()> {
    auto answered = [node = &node_, life = life_, guarded, failed](bool taken) {
      node->deliver(life, [taken, guarded, failed] {
        if (taken)
          guarded(std::nullopt);
        else
          failed();
      });
    };
    if (node_.box.order(deadline, answered))
      return [] {};
    with_.all.seen.hit(probe::fencer_started_again);
    node_.box.start_fencer();
    return failed;
  });
}

void host_agent::carry_out(const keep_fencer&) {
  run(fencer_key, [this]() -> std::function<void()> {
    if (!node_.box.fencer_runs()) {
      with_.all.seen.hit(probe::fencer_started_again);
      node_.box.start_fencer();
    }
    return [this] { carry_out(logic_.fencer_kept(std::nullopt)); };
  });
}

void host_agent::carry_out(const look_at_guests&) {
  run(context_->self.id.value, [this, asked = now()]() -> std::function<void()> {
    return [this, asked, seen = context_->driver->list()] {
      carry_out(logic_.looked(seen, asked, moment()));
    };
  });
}

void host_agent::carry_out(const ask_about_vm& what) {
  with_.all.seen.hit(probe::log_asked_about_guest);
  line_.list({{}, {}, 65'536, true, what.vm}, [this, vm = what.vm](const auto& listing) {
    carry_out(logic_.told_about(vm, listing));
  });
}

void host_agent::carry_out(const note_host& what) {
  with_.guests.say([&] { return "host " + std::to_string(node_.number()) + ": " + what.text; });
  if (what.text.starts_with("no guest may start"))
    with_.all.seen.hit(probe::permission_lost);
}

// -- VMs -----------------------------------------------------------------------------

void host_agent::carry_out(const need_vm_actor& what) {
  later(spawn_ms, [this, vm = what.vm] {
    start_actor(vm);
    carry_out(logic_.present(vm, moment()));
  });
}

void host_agent::start_actor(vm_id vm) {
  if (vms_.contains(vm))
    return;
  const auto incarnation = ++incarnations_;
  vms_.emplace(
      vm, vm_actor_model{incarnation, vm_state{{context_->self.id, context_->shutdown_grace}}});
  later(vm_tick_ms, [this, vm, incarnation] { tick(vm, incarnation); });
}

host_agent::vm_actor_model* host_agent::find(vm_id vm, uint64_t incarnation) {
  auto found = vms_.find(vm);
  if (found == vms_.end() || (incarnation != 0 && found->second.incarnation != incarnation))
    return nullptr;
  return &found->second;
}

void host_agent::tick(vm_id vm, uint64_t incarnation) {
  auto actor = find(vm, incarnation);
  if (!actor)
    return;
  later(vm_tick_ms, [this, vm, incarnation] { tick(vm, incarnation); });
  carry_out(vm, actor->state.tick(now()));
}

void host_agent::carry_out(const end_vm_actor& what) {
  vms_.erase(what.vm);
}

void host_agent::carry_out(const novacron::tell_vm& what) {
  later(0, [this, word = what.word] {
    if (auto actor = find(word.vm.id, 0))
      carry_out(word.vm.id, actor->state.changed(word, now()));
  });
}

void host_agent::carry_out(const show_guest& what) {
  later(0, [this, what] {
    if (auto actor = find(what.vm, 0))
      carry_out(what.vm, actor->state.seen(what.seen, now()));
  });
}

void host_agent::carry_out(vm_id vm, const vm_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto wanted = std::get_if<call_hypervisor>(&effect))
      call(vm, wanted->call);
    else if (auto report = std::get_if<report_observation>(&effect))
      logic_.observed(report->observation);
    else if (std::holds_alternative<look_again>(effect))
      logic_.look_soon();
    else if (std::holds_alternative<end_actor>(effect)) {
      vms_.erase(vm);
      later(0, [this, vm] { carry_out(logic_.absent(vm, moment())); });
      return;
    }
}

void host_agent::call(vm_id vm, guest_call what) {
  with_.guests.say([&] {
    return "host " + std::to_string(node_.number()) + ": calls " + to_string(what) + " for vm "
           + std::to_string(vm.value.low);
  });
  auto actor = find(vm, 0);
  if (auto there = node_.box.driver->find(vm);
      there && what == guest_call::destroy && there->spec.epoch != actor->state.record()->epoch)
    with_.all.seen.hit(probe::stale_guest_ended);
  run(vm.value,
      [this, vm, what, incarnation = actor->incarnation,
       record = *actor->state.record()]() -> std::function<void()> {
        auto problem = make_call(*context_, what, record, node_.box.clock.boot_time());
        with_.guests.say([&] {
          return "host " + std::to_string(node_.number()) + ": " + to_string(what) + " of vm "
                 + std::to_string(vm.value.low)
                 + (problem ? " failed: " + problem->message : std::string{" was done"});
        });
        return [this, vm, what, incarnation, problem] {
          if (auto there = find(vm, incarnation))
            carry_out(vm, there->state.answered(what, problem, now()));
        };
      });
}

void host_agent::kill_some_actor() {
  const auto count = vms_.size() + migrations_.size();
  if (count == 0)
    return;
  auto which = with_.all.luck.below(count);
  if (which >= vms_.size()) {
    auto migration
        = std::next(migrations_.begin(), static_cast<std::ptrdiff_t>(which - vms_.size()));
    kill_actor(migration->first);
    return;
  }
  const auto vm = std::next(vms_.begin(), static_cast<std::ptrdiff_t>(which))->first;
  with_.all.seen.hit(probe::vm_actor_killed);
  vms_.erase(vm);
  carry_out(logic_.absent(vm, moment()));
}

} // namespace novacron::sim
