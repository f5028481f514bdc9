// All VMs of a host that is off get another: those that are to run from recovery, which places
// them in any case, the others by the task's own orders.

#include "storage/state/batch_applier.hpp"

#include <string>

namespace novacron {

namespace {

std::string why_not_evacuated(const host_record& host) {
  const auto is = "host " + host.name + " is " + to_string(host.state);
  if (host.state == host_state::unreachable)
    return is
           + ", which doesn't say that it is off: VMs with a restart policy are placed elsewhere "
             "all the same; for the others make sure that it is off, and say so: novacron host "
             "fenced "
           + host.name;
  return is + ", and only one that is off is evacuated: drain it (novacron host drain " + host.name
         + "), or, if it has just been lost, wait until its lease is over";
}

} // namespace

bool batch_applier::is_fenced(node_id id) const {
  auto host = state_.find(id);
  return host && host->state == host_state::fenced;
}

batch_applier::outcome batch_applier::evacuate(const host_record& host,
                                               const maintain_host& command) {
  if (!is_fenced(host.id))
    return refuse(command_errc::wrong_state, why_not_evacuated(host));
  outcome accepted;
  const auto* running = running_task_of(host);
  if (running && running->kind == task_kind::evacuation) {
    accepted.task = running->id;
    return accepted;
  }
  if (auto refused = take_the_place(running, host, command.task))
    return *refused;
  begin_evacuation(host, command.task);
  accepted.task = command.task;
  return accepted;
}

void batch_applier::begin_evacuation(const host_record& host, task_id id) {
  auto task = task_of_all(task_kind::evacuation, host, id);
  edit(host, [&](host_record& x) { x.drain = id; });
  add(std::move(task)); // `advance_tasks` ends it if there is nothing to do
}

void batch_applier::end_with_return(std::vector<task_move>& moves) {
  for (auto& move : moves) {
    if (move.state == move_state::waiting)
      move.reason = "its host is back, and it stays there";
    if (move.state != move_state::failed)
      move.state = move_state::finished;
  }
}

} // namespace novacron
