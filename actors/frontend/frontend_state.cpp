#include "actors/frontend/frontend_state.hpp"

#include "storage/local/entry_packing.hpp"

#include <algorithm>

namespace novacron {

namespace {

/// Hosts and leases depend on being heard in time, and so do VMs that were lost.
bool is_from_host(const command& x) {
  return std::holds_alternative<host_report>(x.body)
         || std::holds_alternative<register_host>(x.body)
         || std::holds_alternative<renew_lease>(x.body)
         || std::holds_alternative<confirm_inventory>(x.body)
         || std::holds_alternative<decide_migration>(x.body)
         || std::holds_alternative<replace_vm>(x.body);
}

/// Where a command says which host it is for; null for those that don't.
node_id* host_of(command& x) {
  if (auto* create = std::get_if<create_vm>(&x.body))
    return &create->host;
  if (auto* reserve = std::get_if<reserve_migration>(&x.body))
    return &reserve->to;
  if (auto* replace = std::get_if<replace_vm>(&x.body))
    return &replace->to;
  if (auto* order = std::get_if<move_vm>(&x.body))
    return &order->to;
  return nullptr;
}

command_outcome outcome_of(command_errc error, std::string detail) {
  command_outcome outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  return outcome;
}

command_outcome overloaded() {
  return outcome_of(command_errc::overloaded,
                    "the cluster takes no more commands at the moment; nothing was committed: come "
                    "back later");
}

command_outcome unknown() {
  return outcome_of(command_errc::unknown_outcome,
                    "the log did not answer in time; ask again with the same Idempotency-Key");
}

} // namespace

bool frontend_state::has_room(const proposal& what, bool from_host) const {
  return from_host ? host_commands_ + what.commands.size() <= config_.most_host_commands
                   : client_commands_ + what.commands.size() <= config_.most_commands;
}

frontend_state::effects frontend_state::submitted(proposal_ticket ticket, const proposal& what,
                                                  time_point now) {
  auto from_host = std::ranges::all_of(what.commands, is_from_host);
  if (what.commands.empty() || !has_room(what, from_host))
    return {answer_proposal{ticket, {{what.commands.size(), overloaded()}}}};
  auto& job = jobs_[ticket];
  job.arrived = now;
  job.from_host = from_host;
  (from_host ? host_commands_ : client_commands_) += what.commands.size();
  for (const auto& command : what.commands) {
    auto& item = job.items.emplace_back();
    item.what = command;
    auto* host = host_of(item.what);
    item.ours = host && host->nil();
    if (item.ours) {
      ++job.unplaced;
      to_place_.push_back({ticket, job.items.size() - 1});
    }
  }
  effects out;
  settle(ticket, now, out);
  return advance(now, std::move(out));
}

frontend_state::effects frontend_state::placed(uint64_t question, const place_answer& answer,
                                               time_point now) {
  auto found = questions_.extract(question);
  if (!found)
    return {};
  auto name = found.mapped();
  auto& item = jobs_.at(name.ticket).items[name.index];
  *host_of(item.what) = answer.host;
  item.no_room = answer.host.nil() ? answer.detail : std::string{};
  if (auto* replace = std::get_if<replace_vm>(&item.what.body))
    replace->problem = item.no_room; // which the VM shows
  // What can't be placed and was never seen before needs no entry.
  if (answer.host.nil() && item.what.idempotency.key.empty()
      && !std::holds_alternative<reserve_migration>(item.what.body)
      && !std::holds_alternative<replace_vm>(item.what.body))
    item.outcome = outcome_of(command_errc::no_capacity, answer.detail);
  effects out;
  has_its_place(name, now, out);
  return advance(now, std::move(out));
}

frontend_state::effects frontend_state::not_placed(uint64_t question, time_point now) {
  auto found = questions_.extract(question);
  if (!found)
    return {};
  auto name = found.mapped();
  jobs_.at(name.ticket).items[name.index].outcome = overloaded();
  effects out;
  has_its_place(name, now, out);
  return advance(now, std::move(out));
}

void frontend_state::has_its_place(const item_name& name, time_point now, effects& out) {
  auto& job = jobs_.at(name.ticket);
  // Nobody listens any more: what wasn't proposed isn't.
  if (--job.unplaced == 0 && is_late(job, now))
    for (auto& item : job.items)
      if (!item.outcome)
        item.outcome = overloaded();
  settle(name.ticket, now, out);
}

bool frontend_state::is_late(const open_proposal& job, time_point now) const {
  return now - job.arrived >= config_.patience;
}

/// Queues what is ready of a proposal, or answers it, once nothing is out.
void frontend_state::settle(proposal_ticket ticket, time_point now, effects& out) {
  auto& job = jobs_.at(ticket);
  if (job.unplaced > 0)
    return;
  size_t ready = 0;
  for (const auto& item : job.items)
    if (!item.outcome) {
      ++ready;
      queued_bytes_ += approximate_size({&item.what, 1});
    }
  if (ready > 0) {
    queued_commands_ += ready;
    (job.from_host ? host_queue_ : client_queue_).push_back({ticket, now});
    return;
  }
  answer_proposal answer{ticket, {}};
  for (auto& item : job.items)
    answer.answer.each.push_back(std::move(*item.outcome));
  (job.from_host ? host_commands_ : client_commands_) -= job.items.size();
  jobs_.erase(ticket);
  out.emplace_back(std::move(answer));
}

frontend_state::effects frontend_state::advance(time_point now, effects out) {
  ask(now, out);
  flush(now, out);
  return out;
}

void frontend_state::ask(time_point now, effects& out) {
  while (!to_place_.empty() && questions_.size() < config_.most_placements) {
    auto name = to_place_.front();
    to_place_.pop_front();
    auto& job = jobs_.at(name.ticket);
    if (is_late(job, now)) {
      has_its_place(name, now, out);
      continue;
    }
    auto& item = job.items[name.index];
    ++item.plans;
    place_request request;
    request.except = item.tried;
    if (auto* create = std::get_if<create_vm>(&item.what.body)) {
      request.vm = create->vm;
      request.spec = create->spec;
    } else if (auto* replace = std::get_if<replace_vm>(&item.what.body)) {
      request.vm = replace->vm;
      request.replacement = true;
    } else {
      auto* order = std::get_if<move_vm>(&item.what.body);
      request.vm = order ? order->vm : std::get<reserve_migration>(item.what.body).vm;
      request.migration = true;
    }
    auto question = ++last_number_;
    questions_.emplace(question, name);
    out.emplace_back(ask_scheduler{question, std::move(request)});
  }
}

bool frontend_state::batch_is_due(time_point now) const {
  if (queued_commands_ == 0 || batches_.size() >= config_.most_batches)
    return false;
  return batches_.empty() || queued_commands_ >= config_.batch_commands
         || queued_bytes_ >= config_.batch_bytes || wake() <= now;
}

void frontend_state::flush(time_point now, effects& out) {
  while (batch_is_due(now))
    send_batch(out);
}

void frontend_state::send_batch(effects& out) {
  propose_batch next{++last_number_, {}};
  auto& names = batches_[next.batch];
  size_t bytes = 0;
  for (auto* queue : {&host_queue_, &client_queue_})
    while (!queue->empty() && names.size() < config_.batch_commands
           && bytes < config_.batch_bytes) {
      auto ticket = queue->front().ticket;
      queue->pop_front();
      const auto& items = jobs_.at(ticket).items;
      for (size_t i = 0; i < items.size(); ++i)
        if (!items[i].outcome) {
          names.push_back({ticket, i});
          next.commands.commands.push_back(items[i].what);
          auto size = approximate_size({&items[i].what, 1});
          bytes += size;
          queued_bytes_ -= size;
          --queued_commands_;
        }
    }
  out.emplace_back(std::move(next));
}

frontend_state::effects frontend_state::applied(uint64_t batch, const outcomes& answer,
                                                time_point now) {
  auto found = batches_.extract(batch);
  if (!found)
    return {};
  const auto& names = found.mapped();
  auto complete = answer.each.size() == names.size();
  for (size_t i = 0; i < names.size(); ++i)
    take_outcome(names[i], complete ? answer.each[i] : unknown(), now);
  effects out;
  for (size_t i = 0; i < names.size(); ++i)
    if (i + 1 == names.size() || names[i + 1].ticket != names[i].ticket)
      settle(names[i].ticket, now, out);
  return advance(now, std::move(out));
}

void frontend_state::take_outcome(const item_name& name, const command_outcome& outcome,
                                  time_point now) {
  auto& job = jobs_.at(name.ticket);
  auto& item = job.items[name.index];
  auto nowhere = item.ours && !item.no_room.empty() && outcome.error == command_errc::unknown_host;
  auto taken = item.ours && item.no_room.empty()
               && (outcome.error == command_errc::no_capacity
                   || outcome.error == command_errc::unknown_host
                   || outcome.error == command_errc::rule_broken);
  // The scheduler may have been behind the log: let it choose again.
  auto again = taken || (nowhere && std::holds_alternative<reserve_migration>(item.what.body));
  if (again && item.plans < config_.most_plans && !is_late(job, now)) {
    item.tried = *host_of(item.what);
    *host_of(item.what) = {};
    item.no_room.clear();
    ++job.unplaced;
    to_place_.push_back(name);
    return;
  }
  item.outcome = nowhere ? outcome_of(command_errc::no_capacity, item.no_room) : outcome;
}

frontend_state::effects frontend_state::not_answered(uint64_t batch, time_point now) {
  return applied(batch, {}, now);
}

frontend_state::effects frontend_state::tick(time_point now) {
  effects out;
  refuse_waiting(now, out);
  return advance(now, std::move(out));
}

void frontend_state::refuse_waiting(time_point now, effects& out) {
  for (auto* queue : {&host_queue_, &client_queue_})
    while (!queue->empty() && is_late(jobs_.at(queue->front().ticket), now)) {
      auto ticket = queue->front().ticket;
      queue->pop_front();
      refuse(ticket, out);
    }
}

void frontend_state::refuse(proposal_ticket ticket, effects& out) {
  for (auto& item : jobs_.at(ticket).items)
    if (!item.outcome) {
      queued_bytes_ -= approximate_size({&item.what, 1});
      --queued_commands_;
      item.outcome = overloaded();
    }
  settle(ticket, {}, out);
}

std::optional<frontend_state::time_point> frontend_state::wake() const {
  std::optional<time_point> earliest;
  for (const auto* queue : {&host_queue_, &client_queue_})
    if (!queue->empty()) {
      const auto& first = queue->front();
      auto at = batches_.size() < config_.most_batches
                    ? first.since + config_.batch_wait
                    : jobs_.at(first.ticket).arrived + config_.patience;
      earliest = earliest ? std::min(*earliest, at) : at;
    }
  return earliest;
}

} // namespace novacron
