#include "actors/scheduler/scheduler_state.hpp"

namespace novacron {

void scheduler_state::put(const any_record& record) {
  state_.put(record);
  if (auto* vm = std::get_if<vm_record>(&record)) {
    // A create shows as its VM; a migration's promise waits for the migration.
    auto promised = promises_.find(vm->id);
    if (promised != promises_.end() && promised->second.host == vm->host)
      promises_.erase(promised);
  } else if (auto* migration = std::get_if<migration_record>(&record)) {
    promises_.erase(migration->vm);
  }
}

promised_loads scheduler_state::promised() const {
  promised_loads loads;
  for (const auto& [vm, promise] : promises_)
    loads[promise.host].add(promise.spec);
  return loads;
}

place_answer scheduler_state::choose(const place_request& request, time_point now) {
  std::erase_if(promises_, [&](const auto& each) { return now >= each.second.until; });
  promises_.erase(request.vm);
  const bool known = request.migration || request.replacement;
  const auto* vm = known ? state_.find(request.vm) : nullptr;
  if (known && !vm)
    return {{}, "the scheduler doesn't know vm " + to_string(request.vm) + " yet; try again"};
  const bool brings_guest
      = request.migration
        && (vm->actual == actual_state::running || vm->actual == actual_state::migrating);
  const placement_wish wish{request.vm, vm ? vm->spec : request.spec, request.except,
                            vm ? vm->host : node_id{}, brings_guest};
  auto plan = plan_placement(state_, wish, promised());
  if (!plan.chosen.nil())
    promises_[request.vm] = {plan.chosen, wish.spec, now + config_.remember};
  return {plan.chosen, std::move(plan.detail)};
}

} // namespace novacron
