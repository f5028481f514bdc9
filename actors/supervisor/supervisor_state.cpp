#include "actors/supervisor/supervisor_state.hpp"

#include <algorithm>

namespace novacron {

supervisor_state::supervisor_state(supervisor_spec spec) : spec_{std::move(spec)} {
  for (auto& each : spec_.children)
    insert(std::move(each), false);
  spec_.children.clear();
}

void supervisor_state::insert(child_spec spec, bool added) {
  auto where = next_place_++;
  by_name_.emplace(spec.name, where);
  to_start_.insert(where);
  auto& child = children_[where];
  child.spec = std::move(spec);
  child.added = added;
}

void supervisor_state::erase(place where) {
  by_name_.erase(children_.at(where).spec.name);
  to_start_.erase(where);
  children_.erase(where);
}

supervisor_state::effects supervisor_state::start(time_point now) {
  return tick(now);
}

supervisor_state::effects supervisor_state::add(child_spec spec, time_point now) {
  if (!ending_ && !by_name_.contains(spec.name))
    insert(std::move(spec), true);
  return tick(now);
}

supervisor_state::effects supervisor_state::remove(const std::string& name, time_point now) {
  auto found = by_name_.find(name);
  if (found == by_name_.end())
    return {};
  auto where = found->second;
  auto& child = children_.at(where);
  child.removed = true;
  if (child.now == status::idle)
    erase(where);
  else if (child.now == status::running)
    to_stop_.insert(where);
  return tick(now);
}

supervisor_state::effects supervisor_state::started(const std::string& name, time_point now) {
  auto where = by_name_.at(name);
  auto& child = children_.at(where);
  child.now = status::running;
  child.started_at = now;
  starting_.reset();
  if (ending_)
    to_stop_.insert(where);
  return tick(now);
}

supervisor_state::effects supervisor_state::ended(const std::string& name,
                                                  const std::string& failure, time_point now) {
  auto found = by_name_.find(name);
  if (found == by_name_.end())
    return {};
  auto where = found->second;
  auto& child = children_.at(where);
  auto asked = child.now == status::stopping;
  child.now = status::idle;
  if (asked && child.killed)
    child.last_failure = "it didn't end within " + std::to_string(child.spec.grace.count())
                         + " ms, and was killed";
  else if (!failure.empty())
    child.last_failure = failure;
  if (starting_ == where)
    starting_.reset();
  to_stop_.erase(where);
  stopping_.erase(where);
  to_kill_.erase({child.stop_deadline, where});
  if (child.removed)
    erase(where);
  else if (!ending_ && asked) // it went with its group
    come_back(where);
  else if (!ending_)
    died(where, failure.empty(), now);
  return tick(now);
}

/// Starts the child again, unless it is one that never is.
void supervisor_state::come_back(place where) {
  const auto& child = children_.at(where);
  if (child.spec.restart != restart_type::temporary)
    to_start_.insert(where);
  else if (child.added)
    erase(where);
}

void supervisor_state::died(place where, bool normal, time_point now) {
  auto& child = children_.at(where);
  auto again = child.spec.restart == restart_type::permanent
               || (child.spec.restart == restart_type::transient && !normal);
  if (!again) {
    if (child.added)
      erase(where);
    return;
  }
  while (!deaths_.empty() && now - deaths_.front() >= spec_.period)
    deaths_.pop_front();
  deaths_.push_back(now);
  if (deaths_.size() > spec_.intensity) {
    gave_up_ = "supervisor " + spec_.name + " gave up: its children died more than "
               + std::to_string(spec_.intensity) + " times in "
               + std::to_string(spec_.period.count()) + " ms, the last was " + child.spec.name;
    end_all();
    return;
  }
  ++child.restarts;
  if (now - child.started_at >= spec_.period)
    child.failures = 0;
  auto back_off = std::chrono::milliseconds{0};
  if (child.failures > 0)
    back_off = std::min(spec_.longest_back_off,
                        spec_.first_back_off * (1u << std::min(child.failures - 1, 20u)));
  ++child.failures;
  child.not_before = now + back_off;
  to_start_.insert(where);
  restart_group_of(where);
}

void supervisor_state::restart_group_of(place dead) {
  if (spec_.strategy == restart_strategy::one_for_one)
    return;
  auto first = spec_.strategy == restart_strategy::rest_for_one ? children_.upper_bound(dead)
                                                                : children_.begin();
  for (auto i = first; i != children_.end(); ++i)
    if (const auto& child = i->second; child.now == status::running)
      to_stop_.insert(i->first);
    else if (child.now == status::idle && child.spec.restart != restart_type::temporary)
      to_start_.insert(i->first);
}

supervisor_state::effects supervisor_state::stop(time_point now) {
  end_all();
  return tick(now);
}

void supervisor_state::end_all() {
  ending_ = true;
  to_start_.clear();
  for (const auto& [where, child] : children_)
    if (child.now == status::running)
      to_stop_.insert(where);
}

supervisor_state::effects supervisor_state::tick(time_point now) {
  effects out;
  advance_stops(now, out);
  if (!ending_)
    advance_starts(now, out);
  else if (!ended_ && to_stop_.empty() && stopping_.empty() && !starting_) {
    ended_ = true;
    out.emplace_back(end_supervisor{gave_up_});
  }
  return out;
}

void supervisor_state::advance_stops(time_point now, effects& out) {
  while (!to_kill_.empty() && now >= to_kill_.begin()->first) {
    auto& child = children_.at(to_kill_.begin()->second);
    to_kill_.erase(to_kill_.begin());
    child.killed = true;
    out.emplace_back(kill_child{child.spec.name});
  }
  while (!to_stop_.empty()) {
    auto where = *to_stop_.rbegin();
    auto& child = children_.at(where);
    if (!child.added && !child.removed && !stopping_.empty())
      break;
    to_stop_.erase(where);
    stopping_.insert(where);
    child.now = status::stopping;
    child.killed = child.spec.grace.count() == 0;
    child.stop_deadline = now + child.spec.grace;
    if (child.killed) {
      out.emplace_back(kill_child{child.spec.name});
    } else {
      to_kill_.emplace(child.stop_deadline, where);
      out.emplace_back(stop_child{child.spec.name});
    }
  }
}

void supervisor_state::advance_starts(time_point now, effects& out) {
  auto ordered = spec_.strategy != restart_strategy::one_for_one;
  if (starting_ || (ordered && !(to_stop_.empty() && stopping_.empty())))
    return;
  for (auto where : to_start_) {
    auto& child = children_.at(where);
    if (child.not_before > now) {
      if (ordered)
        return;
      continue;
    }
    child.now = status::starting;
    starting_ = where;
    out.emplace_back(start_child{child.spec.name});
    to_start_.erase(where);
    return;
  }
}

std::optional<supervisor_state::time_point> supervisor_state::wake() const {
  std::optional<time_point> earliest;
  auto consider = [&](time_point at) { earliest = earliest ? std::min(*earliest, at) : at; };
  if (!to_kill_.empty())
    consider(to_kill_.begin()->first);
  for (auto where : to_start_)
    consider(children_.at(where).not_before);
  return earliest;
}

const child_spec* supervisor_state::find(const std::string& name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &children_.at(found->second).spec;
}

actor_state supervisor_state::state_of(place where, const entry& child) const {
  switch (child.now) {
  case status::stopping:
    return actor_state::stopping;
  case status::idle:
    return to_start_.contains(where) ? actor_state::restarting : actor_state::ended;
  case status::starting:
  case status::running:
    break;
  }
  return actor_state::running;
}

void supervisor_state::each(place after, time_point now,
                            const std::function<void(const child_status&)>& f) const {
  for (auto i = children_.upper_bound(after); i != children_.end(); ++i) {
    const auto& [where, child] = *i;
    child_status out{where,       child.spec.name,        child.spec.supervisor,
                     child.added, state_of(where, child), child.restarts,
                     {},          child.last_failure};
    if (child.now == status::running)
      out.up = std::chrono::duration_cast<std::chrono::milliseconds>(now - child.started_at);
    f(out);
  }
}

} // namespace novacron
