#include "storage/state/restart_policy.hpp"

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// More wait for the next batch: no batch takes long.
constexpr size_t most_restarts = 64;

bool wants_restart(const vm_record& vm, bool in_order) {
  // The memory of a paused guest was what it was paused for; a new one has none of it.
  if (vm.requested != requested_state::running)
    return false;
  switch (vm.spec.restart) {
  case restart_policy::never:
    return false;
  case restart_policy::on_failure:
    return !in_order;
  case restart_policy::always:
    return true;
  }
  return false;
}

std::chrono::milliseconds back_off(uint32_t count) {
  auto wait = first_back_off;
  for (uint32_t i = 1; i < count && wait < longest_back_off; ++i)
    wait *= 2;
  return std::min(wait, longest_back_off);
}

std::string why_no_more() {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(restart_window).count();
  return "; it ended " + std::to_string(too_many_ends) + " times within " + std::to_string(minutes)
         + " minutes and is not restarted any more: find out why, then start it again";
}

} // namespace

void apply_restart_policy(vm_record& vm, bool in_order, log_time now) {
  auto& restarts = vm.restarts;
  restarts.due = {};
  if (vm.actual == actual_state::running && restarts.running_since == log_time{})
    restarts.running_since = now;
  if (vm.actual != actual_state::failed || !wants_restart(vm, in_order))
    return;
  if (restarts.running_since != log_time{} && now - restarts.running_since >= restart_window)
    restarts = {};
  std::erase_if(restarts.ends, [&](log_time end) { return now - end > restart_window; });
  restarts.ends.push_back(now);
  if (restarts.ends.size() >= too_many_ends) {
    vm.reason += why_no_more();
    return;
  }
  ++restarts.count;
  restarts.due = now + back_off(restarts.count);
}

void batch_applier::restart_what_is_due() {
  // A guest that moves is its migration's until the source can't get it back.
  auto free = [this](const vm_record& vm) {
    auto migration = state_.find(vm.migration);
    return !migration || migration->phase == migration_phase::finished;
  };
  if (hosts_are_awaited())
    return;
  std::vector<vm_id> ready;
  for (const auto& [due, id] : state_.due_restarts_) {
    if (due > state_.now_ || ready.size() == most_restarts)
      break;
    if (free(*state_.find(id)))
      ready.push_back(id);
  }
  for (const auto& id : ready)
    edit(*state_.find(id), [this](vm_record& x) { permit(x); });
}

} // namespace novacron
