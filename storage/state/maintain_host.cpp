// Hosts are cordoned and drained; the tasks that this and evacuations make get on and end.

#include "storage/state/batch_applier.hpp"
#include "storage/state/task_moves.hpp"

#include <algorithm>

namespace novacron {

namespace {

bool reachable(host_state state) {
  using enum host_state;
  return state == up || state == cordoned || state == draining || state == drained;
}

bool open(const task_move& move) {
  return move.state == move_state::waiting || move.state == move_state::moving;
}

} // namespace

// -- what an operator wants --------------------------------------------------------

batch_applier::outcome batch_applier::apply(const maintain_host& command) {
  auto host = state_.find(command.host);
  if (!host || host->state == host_state::gone)
    return refuse(command_errc::unknown_host, "there is no host " + to_string(command.host));
  switch (command.wish) {
  case maintenance_wish::cordon:
    return cordon(*host);
  case maintenance_wish::uncordon:
    return uncordon(*host);
  case maintenance_wish::drain:
    return drain(*host, command);
  case maintenance_wish::evacuate:
    return evacuate(*host, command);
  }
  return refuse(command_errc::wrong_state, "no such wish");
}

batch_applier::outcome batch_applier::cordon(const host_record& host) {
  if (host.maintenance == host_state::up)
    maintain(host, host_state::cordoned, host.drain);
  return {};
}

batch_applier::outcome batch_applier::uncordon(const host_record& host) {
  const auto* running = running_task_of(host);
  const bool evacuated = running && running->kind == task_kind::evacuation;
  if (running && !evacuated)
    end_task(*running, task_state::cancelled);
  if (host.maintenance != host_state::up)
    maintain(host, host_state::up, evacuated ? host.drain : task_id{});
  return {};
}

batch_applier::outcome batch_applier::drain(const host_record& host, const maintain_host& command) {
  const auto deadline = command.deadline.count() > 0 ? state_.now_ + command.deadline : log_time{};
  auto set_terms = [&](task_record& x) {
    x.parallel = std::max(command.parallel, uint32_t{1});
    x.deadline = deadline;
    x.then = command.then;
  };
  outcome accepted;
  const auto* running = running_task_of(host);
  if (running && running->kind == task_kind::drain) {
    edit(*running, set_terms); // whoever asks last says how
    accepted.task = running->id;
    return accepted;
  }
  if (auto refused = take_the_place(running, host, command.task))
    return *refused;
  auto task = task_of_all(task_kind::drain, host, command.task);
  set_terms(task);
  accepted.task = task.id;
  maintain(host, host_state::draining, task.id);
  add(std::move(task)); // `advance_tasks` ends it if there is nothing to do
  return accepted;
}

std::optional<batch_applier::outcome>
batch_applier::take_the_place(const task_record* running, const host_record& host, task_id id) {
  if (auto taken = task_id_taken(id))
    return taken;
  if (auto many = too_many_for_a_task(host))
    return many;
  if (running)
    end_task(*running, task_state::cancelled);
  return {};
}

std::optional<batch_applier::outcome> batch_applier::task_id_taken(task_id id) const {
  if (!id.nil() && !state_.find(id))
    return {};
  return refuse(command_errc::wrong_state,
                "the task's id " + to_string(id) + " is taken; choose a new one");
}

std::optional<batch_applier::outcome>
batch_applier::too_many_for_a_task(const host_record& host) const {
  const auto count = placed_on(host.id).size();
  if (count <= most_task_vms || batch_.cluster_version < evacuations_since)
    return {};
  return refuse(command_errc::wrong_state,
                "host " + host.name + " has " + std::to_string(count) + " vms, and a task holds "
                    + std::to_string(most_task_vms) + "; move or delete some of them first");
}

const task_record* batch_applier::running_task_of(const host_record& host) const {
  auto task = state_.find(host.drain);
  return task && task->state == task_state::running ? task : nullptr;
}

task_record batch_applier::task_of_all(task_kind kind, const host_record& host, task_id id) const {
  task_record task;
  task.id = id;
  task.kind = kind;
  task.host = host.id;
  task.created = state_.now_;
  for (const auto& vm_of_it : placed_on(host.id)) {
    const auto& vm = *state_.find(vm_of_it);
    task_move move;
    move.vm = vm.id;
    task.moves.push_back(looked_at(task, move, &vm, migration_of(vm)));
  }
  return task;
}

void batch_applier::maintain(const host_record& host, host_state maintenance, task_id drain) {
  edit(host, [&](host_record& x) {
    if (reachable(x.state))
      x.state = maintenance;
    x.maintenance = maintenance;
    x.drain = drain;
  });
}

batch_applier::outcome batch_applier::apply(const cancel_task& command) {
  auto task = state_.find(command.task);
  if (!task)
    return refuse(command_errc::unknown_task, "there is no task " + to_string(command.task));
  outcome accepted;
  accepted.task = task->id;
  if (task->state == task_state::cancelled)
    return accepted;
  if (task->state != task_state::running)
    return refuse(command_errc::wrong_state,
                  "task " + to_string(task->id) + " has " + to_string(task->state) + " already");
  end_task(*task, task_state::cancelled);
  return accepted;
}

/// A drain that has not finished leaves its host cordoned, and what hasn't begun doesn't begin.
void batch_applier::end_task(const task_record& task, task_state how) {
  edit(task, [&](task_record& x) {
    x.state = how;
    x.ended = state_.now_;
  });
  if (how == task_state::cancelled)
    end_queued_of(task, "its task was cancelled");
  auto host = state_.find(task.host);
  if (host && host->drain == task.id && host->maintenance == host_state::draining)
    maintain(*host, how == task_state::finished ? host_state::drained : host_state::cordoned,
             host->drain);
}

// -- how tasks get on --------------------------------------------------------------

void batch_applier::advance_tasks() {
  if (state_.running_tasks_.empty())
    return;
  for (const auto& id : state_.running_tasks_)
    if (const auto& task = *state_.find(id); deadline_passed(task, state_.now_))
      end_queued_of(task, "its task's time was over");
  std::set<vm_id> touched;
  std::set<task_id> concerned;
  for (const auto& [type, id] : touched_) {
    if (type == record_type::vm)
      touched.insert(vm_id{id});
    else if (auto migration = state_.find(migration_id{id});
             type == record_type::migration && migration)
      touched.insert(migration->vm);
    else if (auto host = state_.find(node_id{id}); type == record_type::host && host) {
      // Its return ends its evacuation.
      if (const auto* task = running_task_of(*host); task && task->kind == task_kind::evacuation)
        concerned.insert(task->id);
    } else if (type == record_type::task && state_.running_tasks_.contains(task_id{id}))
      concerned.insert(task_id{id});
  }
  for (const auto& id : touched) {
    if (auto tasks = state_.tasks_of_.find(id); tasks != state_.tasks_of_.end())
      concerned.insert(tasks->second.begin(), tasks->second.end());
    // One that came while its host was being drained or evacuated.
    auto vm = state_.find(id);
    auto host = vm ? state_.find(vm->host) : nullptr;
    if (host && state_.running_tasks_.contains(host->drain))
      concerned.insert(host->drain);
  }
  for (const auto& id : state_.running_tasks_)
    if (deadline_passed(*state_.find(id), state_.now_))
      concerned.insert(id);
  for (const auto& id : concerned)
    advance(*state_.find(id), touched);
}

const migration_record* batch_applier::migration_of(const vm_record& vm) const {
  return vm.migration.nil() ? state_.queued_of(vm.id) : state_.find(vm.migration);
}

void batch_applier::advance(const task_record& task, const std::set<vm_id>& touched) {
  auto next = task.moves;
  for (auto& move : next)
    if (touched.contains(move.vm)) {
      auto vm = state_.find(move.vm);
      const auto* migration = vm ? migration_of(*vm) : nullptr;
      move = looked_at(task, move, vm, migration ? migration : state_.find(move.migration));
    }
  if (task.kind != task_kind::rebalance)
    for (const auto& id : touched) {
      auto vm = state_.find(id);
      auto known = std::ranges::any_of(next, [&](const auto& x) { return x.vm == id; });
      if (!vm || known || vm->host != task.host || vm->actual == actual_state::gone)
        continue;
      task_move move;
      move.vm = id;
      next.push_back(looked_at(task, move, vm, migration_of(*vm)));
    }
  if (task.kind == task_kind::evacuation && !is_fenced(task.host))
    end_with_return(next);
  for (auto& move : next) {
    auto vm = state_.find(move.vm);
    switch (resort_of(task, move, vm, state_.now_)) {
    case last_resort::none:
      break;
    case last_resort::give_up:
      move.state = move_state::failed;
      move.reason = move.reason.empty() ? "its time was over" : move.reason;
      break;
    case last_resort::stop_guest:
      request_stopped(*vm, {});
      move.stopped = true;
      move.reason = "its guest is being stopped";
      break;
    }
  }
  if (next != task.moves)
    edit(task, [&](task_record& x) { x.moves = next; });
  if (std::ranges::none_of(next, open)) {
    auto failed
        = std::ranges::any_of(next, [](const auto& x) { return x.state == move_state::failed; });
    end_task(task, failed ? task_state::failed : task_state::finished);
  }
}

} // namespace novacron
