// Whether a host may have a VM, and a VM without a guest changing its place.

#include "storage/state/batch_applier.hpp"
#include "storage/state/placement_filters.hpp"
#include "storage/state/task_moves.hpp"

#include <algorithm>

namespace novacron {

std::optional<batch_applier::outcome> batch_applier::why_not_on(const host_record& host,
                                                                const vm_spec& spec, vm_id vm,
                                                                const host_record* leaves) const {
  auto has_member = [&](const std::string& group) {
    auto members = state_.members_of(group);
    const auto& own = spec.placement.groups;
    if (!state_.find(vm) || std::find(own.begin(), own.end(), group) == own.end())
      return members > 0;
    --members; // where it is placed, and where its migrations hold room for it
    if (auto open = state_.not_over_.find(vm); open != state_.not_over_.end())
      for (const auto& id : open->second)
        members -= holds_room_on(*state_.find(id)).nil() ? 0 : 1;
    return members > 0;
  };
  auto load = state_.load_of(host.id);
  if (auto queued = state_.queued_of(vm); queued && holds_room_on(*queued) == host.id)
    load.remove(state_.find(vm)->spec);
  const placement_case x{spec,   host,       load,
                         leaves, has_member, batch_.cluster_version >= maintenance_since};
  auto why = first_refusal(x);
  if (!why)
    return std::nullopt;
  return refuse(why->filter->error, "host " + host.name + ": " + why->why
                                        + "; choose another host, or change what is in the way");
}

batch_applier::outcome batch_applier::place_elsewhere(const vm_record& vm, node_id to) {
  const auto what = "vm " + vm.name + ": ";
  if (to == vm.host)
    return refuse(command_errc::same_host, what + "it is on that host already; choose another");
  auto host = state_.find(to);
  if (!host)
    return refuse(command_errc::unknown_host, what + "there is no host " + to_string(to));
  if (auto why = why_not_on(*host, vm.spec, vm.id, nullptr))
    return *why;
  edit(vm, [&](vm_record& x) {
    x.host = to;
    x.epoch = next_epoch(x.epoch);
    if (x.actual == actual_state::failed)
      x.seen_epoch = x.epoch; // its end is known; the new host has nothing to add
  });
  return accept(vm, {});
}

} // namespace novacron
