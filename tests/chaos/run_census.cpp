#include "run_census.hpp"

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/pid_handle.hpp"
#include "hypervisor/simulated/machine.hpp"

#include <algorithm>

namespace novacron::chaos {

namespace {

constexpr std::chrono::milliseconds between_looks{10};
constexpr std::chrono::milliseconds count_every{40};
constexpr int rest_per_work = 4; ///< a count may take this part of the thread's time

bool takes_a_stream(int pid) {
  const auto words = split_proc_list(read_proc(pid, "cmdline"));
  return std::ranges::find(words, "-incoming") != words.end();
}

} // namespace

run_census::run_census(census_places places)
    : places_{std::move(places)}, thread_{[this] { run(); }} {
  // nop
}

run_census::~run_census() {
  stopping_ = true;
  thread_.join();
}

void run_census::listen(const std::string& vm, std::vector<std::filesystem::path> logs) {
  std::lock_guard lock{mutex_};
  consoles_.emplace_back(vm, std::move(logs));
}

std::vector<running_guest> run_census::look() const {
  std::vector<running_guest> found;
  for (const auto& [name, state] : places_.machines)
    if (auto seen = look_at_machine(machine_of_node(state)))
      for (const auto& guest : seen->guests)
        if (guest.phase == guest_phase::running || guest.phase == guest_phase::stopping)
          found.push_back({to_string(guest.vm), name, guest.epoch.number});
  if (!places_.real.empty())
    for (const auto& guest : find_guest_processes())
      if (places_.real.contains(guest.mark.host) && !takes_a_stream(guest.pid))
        found.push_back({to_string(guest.mark.vm), to_string(guest.mark.host),
                         static_cast<uint64_t>(guest.pid)});
  return found;
}

void run_census::run() {
  while (!stopping_) {
    const auto begin = std::chrono::steady_clock::now();
    const auto first = look();
    std::this_thread::sleep_for(between_looks);
    const auto second = look();
    {
      std::lock_guard lock{mutex_};
      for (auto& each : counter_.add(first, second))
        duplicates_.push_back(std::move(each));
    }
    ++counts_;
    const auto work = std::chrono::steady_clock::now() - begin;
    std::this_thread::sleep_for(
        std::max<std::chrono::nanoseconds>(count_every, work * rest_per_work));
  }
}

std::vector<std::string> run_census::duplicates() const {
  std::lock_guard lock{mutex_};
  auto all = duplicates_;
  for (const auto& each : consoles_)
    if (const auto seen = each.watch.summary(); seen.repeated > 0)
      all.push_back("vm " + each.vm + " said " + std::to_string(seen.repeated)
                    + " ticks a second time");
  return all;
}

uint64_t run_census::ticks() const {
  std::lock_guard lock{mutex_};
  uint64_t sum = 0;
  for (const auto& each : consoles_)
    sum += each.watch.summary().ticks;
  return sum;
}

std::vector<std::string> run_census::bad_memory() const {
  std::lock_guard lock{mutex_};
  std::vector<std::string> bad;
  for (const auto& each : consoles_)
    if (!each.watch.summary().memory_ok)
      bad.push_back("the memory of vm " + each.vm + " is not what it wrote there");
  return bad;
}

} // namespace novacron::chaos
