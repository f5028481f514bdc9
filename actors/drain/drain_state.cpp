#include "actors/drain/drain_state.hpp"

#include "storage/state/task_moves.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// Why a VM can't be moved, as opposed to why an order came at the wrong time.
bool says_why(command_errc error) {
  return error == command_errc::no_capacity || error == command_errc::rule_broken
         || error == command_errc::unknown_host || error == command_errc::wrong_state;
}

} // namespace

void drain_state::put(const any_record& record, time_point now) {
  if (auto* task = std::get_if<task_record>(&record)) {
    put_task(*task, now);
  } else if (auto* vm = std::get_if<vm_record>(&record)) {
    if (vm->actual == actual_state::lost)
      lost_.insert(vm->id);
    else
      lost_.erase(vm->id);
  }
}

void drain_state::put_task(const task_record& task, time_point now) {
  if (task.state != task_state::running) {
    drop(task.id);
    return;
  }
  auto [slot, fresh] = tasks_.try_emplace(task.id, task);
  if (!fresh && slot->second.revision >= task.revision)
    return;
  for (const auto& move : task.moves) {
    const auto* before = fresh ? nullptr : find({task.id, move.vm});
    if (before && *before == move)
      continue;
    auto& mine = efforts_[{task.id, move.vm}];
    if (move.reason.empty())
      mine.failures = 0;
    // Rolled back: not again at once.
    mine.not_before = before && move.attempts > before->attempts ? wait_after(move.attempts, now)
                      : move.reason.empty()                      ? time_point{}
                                                                 : mine.not_before;
  }
  slot->second = task;
}

void drain_state::remove(const any_record& record) {
  if (auto* task = std::get_if<task_record>(&record))
    drop(task->id);
  else if (auto* vm = std::get_if<vm_record>(&record))
    lost_.erase(vm->id);
}

void drain_state::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  std::vector<task_id> gone;
  for (const auto& [id, task] : tasks_)
    if (!named.contains({record_type::task, id.value}))
      gone.push_back(id);
  for (const auto& id : gone)
    drop(id);
  std::erase_if(lost_, [&](const auto& vm) {
    return !named.contains({record_type::vm, vm.value});
  });
}

/// Nobody that is to run waits for a place.
bool drain_state::leaves_room(const task_record& task) const {
  return std::ranges::none_of(task.moves, [&](const task_move& move) {
    return move.state == move_state::waiting && lost_.contains(move.vm);
  });
}

drain_state::effects drain_state::tick(time_point now) {
  effects out;
  for (const auto& [id, task] : tasks_) {
    if (task.kind == task_kind::evacuation && !leaves_room(task))
      continue;
    size_t busy = 0;
    for (const auto& move : task.moves)
      busy += (move.state == move_state::moving && goes_by_orders(task))
              || (move.state == move_state::waiting && efforts_[{id, move.vm}].ordered);
    for (const auto& move : task.moves) {
      if (busy >= task.parallel)
        break;
      auto& mine = efforts_[{id, move.vm}];
      if (move.state != move_state::waiting || mine.ordered || now < mine.not_before)
        continue;
      mine.ordered = true;
      ++busy;
      move_vm order{id, move.vm, move.attempts, {}, {config_.ids()}};
      if (task.kind == task_kind::rebalance)
        order.to = move.to;
      out.emplace_back(give_order{order});
    }
  }
  return out;
}

drain_state::effects drain_state::answered(const move_vm& order, const command_outcome& what,
                                           time_point now) {
  const name which{order.task, order.vm};
  auto known = efforts_.find(which);
  const auto* move = find(which);
  if (known == efforts_.end() || !move)
    return {};
  auto& mine = known->second;
  mine.ordered = false;
  if (what.ok()) {
    // The feed shows it in a moment; until then it would be ordered again.
    mine.not_before = now + config_.first_wait;
    return {};
  }
  mine.not_before = wait_after(++mine.failures, now);
  if (!says_why(what.error) || move->reason == what.detail || move->state != move_state::waiting)
    return {};
  return {write_note{{order.task, order.vm, order.attempt, what.detail}}};
}

void drain_state::not_answered(const move_vm& order, time_point now) {
  auto known = efforts_.find({order.task, order.vm});
  if (known == efforts_.end())
    return;
  known->second.ordered = false;
  known->second.not_before = now + config_.first_wait;
}

const task_move* drain_state::find(const name& which) const {
  auto task = tasks_.find(which.first);
  if (task == tasks_.end())
    return nullptr;
  auto at = std::ranges::find(task->second.moves, which.second, &task_move::vm);
  return at == task->second.moves.end() ? nullptr : &*at;
}

drain_state::time_point drain_state::wait_after(uint32_t failures, time_point now) const {
  auto wait = config_.first_wait;
  for (uint32_t i = 1; i < failures && wait < config_.longest_wait; ++i)
    wait *= 2;
  return now + std::min(wait, config_.longest_wait);
}

void drain_state::drop(task_id task) {
  tasks_.erase(task);
  std::erase_if(efforts_, [&](const auto& each) { return each.first.first == task; });
}

} // namespace novacron
