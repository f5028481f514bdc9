#include "hypervisor/simulated/simulated_host.hpp"

#include "hypervisor/fencer/deadline_file.hpp"
#include "hypervisor/simulated/tick_program.hpp"

#include <algorithm>
#include <fstream>
#include <random>

namespace novacron {

namespace {

/// A console that can't be written is lost, as a real one on a full disk; the guest runs on.
void append(const std::filesystem::path& console, const std::string& text) {
  if (console.empty() || text.empty())
    return;
  std::error_code ignored;
  std::filesystem::create_directories(console.parent_path(), ignored);
  std::ofstream{console, std::ios::app} << text;
}

} // namespace

fault_source random_faults(uint64_t seed, const fault_rates& rates) {
  struct dice {
    std::mutex mutex;
    std::mt19937_64 engine;
  };
  auto shared = std::make_shared<dice>();
  shared->engine.seed(seed);
  return [shared, rates](std::string_view, vm_id) {
    std::lock_guard guard{shared->mutex};
    auto drawn = static_cast<double>(shared->engine() >> 11) * 0x1p-53;
    const std::pair<double, simulated_fault> choices[]
        = {{rates.refuse, simulated_fault::refuse},
           {rates.unreachable, simulated_fault::unreachable},
           {rates.lose_answer, simulated_fault::lose_answer},
           {rates.act_late, simulated_fault::act_late}};
    for (auto [rate, fault] : choices) {
      if (drawn < rate)
        return fault;
      drawn -= rate;
    }
    return simulated_fault::none;
  };
}

simulated_host::receiver::~receiver() {
  stop = true;
  if (thread.joinable())
    thread.join();
}

simulated_host::simulated_host(simulated_host_config config) : config_{std::move(config)} {}

simulated_host::~simulated_host() {
  lock held{*this};
  remove_if([](const guest&) { return true; });
}

simulated_host::lock::~lock() {
  std::vector<std::shared_ptr<receiver>> ending;
  ending.swap(host_.removed_);
  guard_.unlock();
}

failure simulated_failure(hypervisor_errc code, std::string_view call, vm_id vm, const char* why) {
  return make_failure(code, "cannot " + std::string{call} + " guest " + to_string(vm)
                                + " (simulated): " + why);
}

result<void> simulated_host::look(std::string_view call, vm_id vm, const effect& act) {
  pass_time(call);
  auto fault = fault_of(call, vm);
  lock held{*this};
  act_on_what_is_due();
  if (!daemon_runs_ || fault != simulated_fault::none)
    return simulated_failure(hypervisor_errc::unreachable, call, vm, "the daemon doesn't answer");
  return act(*this);
}

result<void> simulated_host::change(std::string_view call, vm_id vm, const effect& act) {
  pass_time(call);
  auto fault = fault_of(call, vm);
  lock held{*this};
  act_on_what_is_due();
  if (!daemon_runs_ || fault == simulated_fault::unreachable)
    return simulated_failure(hypervisor_errc::unreachable, call, vm, "the daemon doesn't answer");
  if (fault == simulated_fault::refuse)
    return simulated_failure(hypervisor_errc::refused, call, vm, "a fault was asked for");
  if (fault == simulated_fault::act_late) {
    late_.push_back({now() + config_.late_by, act});
    return simulated_failure(hypervisor_errc::outcome_unknown, call, vm, "the answer was lost");
  }
  auto outcome = act(*this);
  if (fault == simulated_fault::lose_answer)
    return simulated_failure(hypervisor_errc::outcome_unknown, call, vm, "the answer was lost");
  return outcome;
}

simulated_host::time_point simulated_host::now() const {
  return config_.clock ? config_.clock() : std::chrono::steady_clock::now();
}

void simulated_host::pass_time(std::string_view call) {
  auto latency = config_.latency ? config_.latency(call) : std::chrono::milliseconds{0};
  if (latency.count() <= 0)
    return;
  if (config_.sleep)
    config_.sleep(latency);
  else
    std::this_thread::sleep_for(latency);
}

simulated_fault simulated_host::fault_of(std::string_view call, vm_id vm) {
  return config_.faults ? config_.faults(call, vm) : simulated_fault::none;
}

void simulated_host::set_deadline(std::chrono::nanoseconds deadline) {
  lock held{*this};
  deadline_ = deadline;
  fence();
}

void simulated_host::fence() {
  if (!deadline_)
    return;
  const auto time = config_.boot_clock ? config_.boot_clock() : boot_time();
  if (time >= *deadline_)
    remove_if([](const guest& x) { return x.spec.ha; });
}

void simulated_host::act_on_what_is_due() {
  fence();
  auto time = now();
  for (size_t i = 0; i < late_.size();)
    if (late_[i].due <= time) {
      auto act = std::move(late_[i].act);
      late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
      static_cast<void>(act(*this)); // nobody hears the answer any more
      fence();
    } else {
      ++i;
    }
}

bool simulated_host::runs(const guest& x) {
  return x.phase == guest_phase::running || x.phase == guest_phase::stopping;
}

void simulated_host::boot(guest& x) {
  x.memory = guest_memory{pages_of(x.spec)};
  append(x.spec.console_log,
         tick_program::boot(x.memory, x.spec.kernel_arguments, config_.dirty_pages_per_second));
  x.memory.take_dirty();
}

/// One tick at most: a guest that was held still goes on from the present.
void simulated_host::let_run(guest& x) {
  auto since_last = now() - x.ticked;
  if (!runs(x) || since_last < tick_program::period)
    return;
  append(x.spec.console_log, tick_program::tick(x.memory, since_last));
  x.cpu_time += since_last;
  x.ticked = since_last < 2 * tick_program::period ? x.ticked + tick_program::period : now();
}

void simulated_host::let_guests_run() {
  lock held{*this};
  act_on_what_is_due();
  for (auto& [vm, x] : guests_)
    let_run(x);
}

uint64_t simulated_host::pages_of(const guest_spec& spec) const {
  constexpr uint64_t pages_per_mib = 256;
  return config_.pages_per_guest > 0 ? config_.pages_per_guest : spec.memory_mib * pages_per_mib;
}

void simulated_host::remove_if(const std::function<bool(const guest&)>& which) {
  for (auto i = guests_.begin(); i != guests_.end();) {
    if (!which(i->second)) {
      ++i;
      continue;
    }
    if (i->second.abort)
      *i->second.abort = true;
    if (i->second.incoming)
      removed_.push_back(std::move(i->second.incoming));
    tell(i->first);
    i = guests_.erase(i);
  }
}

result<simulated_host::guest*> simulated_host::find(std::string_view call, vm_id vm) {
  auto found = guests_.find(vm);
  if (found == guests_.end())
    return simulated_failure(hypervisor_errc::no_such_guest, call, vm, "it is not on this host");
  let_run(found->second);
  return &found->second;
}

void simulated_host::set_phase(guest& x, guest_phase phase) {
  let_run(x);
  if (!runs(x))
    x.ticked = now();
  x.phase = phase;
  tell(x.spec.vm);
}

void simulated_host::tell(vm_id vm) {
  for (auto& [driver, listener] : listeners_)
    listener->add(vm);
}

void simulated_host::stop_daemon() {
  lock held{*this};
  daemon_runs_ = false;
  ++daemon_life_;
  late_.clear();
  for (auto& [vm, x] : guests_)
    if (x.abort)
      *x.abort = true;
  remove_if([](const guest& x) { return x.phase == guest_phase::incoming; });
}

void simulated_host::start_daemon() {
  std::lock_guard guard{mutex_};
  daemon_runs_ = true;
  for (auto& [driver, listener] : listeners_)
    listener->add_all();
}

void simulated_host::kill_guest(vm_id vm) {
  lock held{*this};
  remove_if([&](const guest& x) { return x.spec.vm == vm; });
}

void simulated_host::power_off(vm_id vm) {
  lock held{*this};
  for (auto& [driver, listener] : listeners_)
    listener->add(vm, guests_.contains(vm));
  remove_if([&](const guest& x) { return x.spec.vm == vm; });
}

std::vector<guest_status> simulated_host::guests() {
  lock held{*this};
  act_on_what_is_due();
  std::vector<guest_status> out;
  for (const auto& [vm, x] : guests_)
    out.push_back({vm, x.spec.epoch, x.phase, x.migration_source});
  return out;
}

uint64_t simulated_host::memory_digest(vm_id vm) {
  std::lock_guard guard{mutex_};
  auto x = find("look at", vm);
  return x ? (*x)->memory.digest() : 0;
}

} // namespace novacron
