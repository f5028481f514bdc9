#include "actors/frontend/forwarding.hpp"

#include <algorithm>

namespace novacron {

namespace {

command_outcome outcome_of(command_errc error, std::string detail) {
  command_outcome outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  return outcome;
}

outcomes all(size_t count, command_errc error, std::string detail) {
  return {std::vector<command_outcome>(count, outcome_of(error, std::move(detail)))};
}

outcomes nobody_leads(size_t count) {
  return all(count, command_errc::not_leader,
             "no leader could be reached in time; nothing was committed: come back later");
}

command_outcome unknown_outcome() {
  return outcome_of(
      command_errc::unknown_outcome,
      "the leader was lost before it answered; ask again with the same Idempotency-Key");
}

outcomes unknown(size_t count) {
  return {std::vector<command_outcome>(count, unknown_outcome())};
}

/// Whether the cluster's version, as far as it is known, knows all of it.
bool too_new(const proposal& what, uint32_t version) {
  return version != 0 && std::ranges::any_of(what.commands, [&](const command& each) {
           return least_version(each.body) > version;
         });
}

/// A leader of an earlier version couldn't even read it.
outcomes needs_upgrade(size_t count, uint32_t version) {
  return all(count, command_errc::needs_upgrade,
             "the cluster is at version " + std::to_string(version)
                 + ", which doesn't know this command yet: upgrade every controller; "
                   "`novacron cluster status` shows which are behind");
}

bool did_nothing(const outcomes& answer) {
  return std::ranges::all_of(answer.each, [](const command_outcome& each) {
    return each.error == command_errc::not_leader;
  });
}

} // namespace

bool may_be_repeated(const proposal& what) {
  return std::ranges::all_of(what.commands,
                             [](const command& each) { return !each.idempotency.key.empty(); });
}

outcomes of_several_attempts(outcomes answer) {
  for (auto& each : answer.each)
    if (each.error == command_errc::not_leader || each.error == command_errc::overloaded)
      each = unknown_outcome();
  return answer;
}

forwarding::effects forwarding::submitted(proposal_ticket ticket, proposal what, bool forwarded,
                                          time_point now) {
  const auto count = what.commands.size();
  if (count == 0 || commands_ + count > config_.most_commands)
    return {answer_proposal{
        ticket, all(count, command_errc::overloaded,
                    "too many commands wait for the leader; nothing was committed: come back "
                    "later")}};
  if (too_new(what, leader_.cluster_version))
    return {answer_proposal{ticket, needs_upgrade(count, leader_.cluster_version)}};
  commands_ += count;
  auto& job = jobs_[ticket];
  job.what = std::make_shared<const proposal>(std::move(what));
  job.arrived = job.not_before = now;
  job.forwarded = forwarded;
  waiting_.insert(ticket);
  effects out;
  dispatch(now, out);
  return out;
}

forwarding::effects forwarding::led_by(const leadership& who, time_point now) {
  leader_ = who;
  effects out;
  leave_former_leader(out);
  for (auto ticket : waiting_)
    jobs_.at(ticket).not_before = now;
  dispatch(now, out);
  return out;
}

/// A later leader is known: nobody need wait for what the former one says.
void forwarding::leave_former_leader(effects& out) {
  if (leader_.leads.nil())
    return;
  std::vector<proposal_ticket> unknown_ones;
  for (auto& [ticket, job] : jobs_) {
    if (job.asked.nil() || job.asked == leader_.leads || job.term >= leader_.term)
      continue;
    if (may_be_repeated(*job.what)) {
      job.asked = {};
      job.doubtful = true;
      waiting_.insert(ticket);
    } else {
      unknown_ones.push_back(ticket);
    }
  }
  for (auto ticket : unknown_ones)
    end(ticket, unknown(jobs_.at(ticket).what->commands.size()), out);
}

forwarding::effects forwarding::answered(proposal_ticket ticket, const outcomes& answer,
                                         time_point now) {
  auto found = jobs_.find(ticket);
  if (found == jobs_.end())
    return {};
  const auto& job = found->second;
  auto complete = answer.each.size() == job.what->commands.size();
  if (complete && did_nothing(answer) && !job.forwarded)
    return wait_again(ticket, now);
  effects out;
  end(ticket, complete ? answer : unknown(job.what->commands.size()), out);
  return out;
}

bool forwarding::awaits(const forward_proposal& sent) const {
  auto found = jobs_.find(sent.ticket);
  return found != jobs_.end() && found->second.attempt == sent.attempt
         && !found->second.asked.nil();
}

forwarding::effects forwarding::answered(const forward_proposal& sent, const outcomes& answer,
                                         time_point now) {
  return awaits(sent) ? answered(sent.ticket, answer, now) : effects{};
}

forwarding::effects forwarding::not_sent(const forward_proposal& sent, time_point now) {
  return awaits(sent) ? wait_again(sent.ticket, now) : effects{};
}

forwarding::effects forwarding::lost(const forward_proposal& sent, time_point now) {
  if (!awaits(sent))
    return {};
  if (may_be_repeated(*sent.what)) {
    jobs_.at(sent.ticket).doubtful = true;
    return wait_again(sent.ticket, now);
  }
  effects out;
  end(sent.ticket, unknown(sent.what->commands.size()), out);
  return out;
}

forwarding::effects forwarding::tick(time_point now) {
  effects out;
  dispatch(now, out);
  return out;
}

forwarding::effects forwarding::wait_again(proposal_ticket ticket, time_point now) {
  auto& job = jobs_.at(ticket);
  job.asked = {};
  job.not_before = now + config_.retry;
  waiting_.insert(ticket);
  effects out;
  dispatch(now, out);
  return out;
}

void forwarding::dispatch(time_point now, effects& out) {
  std::vector<proposal_ticket> over;
  std::vector<proposal_ticket> early; // came before it was known who leads
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    const auto ticket = *i;
    auto& job = jobs_.at(ticket);
    const auto elsewhere = !leader_.here && !leader_.leads.nil();
    if (now - job.arrived >= config_.patience || (job.forwarded && !leader_.here)) {
      over.push_back(ticket);
      i = waiting_.erase(i);
    } else if (too_new(*job.what, leader_.cluster_version)) {
      early.push_back(ticket);
      i = waiting_.erase(i);
    } else if (now >= job.not_before && (leader_.here || elsewhere)) {
      if (elsewhere) {
        job.asked = leader_.leads;
        job.term = leader_.term;
        out.emplace_back(forward_proposal{ticket, ++job.attempt, leader_.leads, job.what});
      } else {
        out.emplace_back(submit_here{ticket, job.what});
      }
      i = waiting_.erase(i);
    } else {
      ++i;
    }
  }
  for (auto ticket : over)
    end(ticket, nobody_leads(jobs_.at(ticket).what->commands.size()), out);
  for (auto ticket : early)
    end(ticket, needs_upgrade(jobs_.at(ticket).what->commands.size(), leader_.cluster_version),
        out);
}

void forwarding::end(proposal_ticket ticket, outcomes answer, effects& out) {
  const auto done = jobs_.extract(ticket);
  commands_ -= done.mapped().what->commands.size();
  waiting_.erase(ticket);
  if (done.mapped().doubtful)
    answer = of_several_attempts(std::move(answer));
  out.emplace_back(answer_proposal{ticket, std::move(answer)});
}

std::optional<forwarding::time_point> forwarding::wake() const {
  const auto known = leader_.here || !leader_.leads.nil();
  std::optional<time_point> earliest;
  for (auto ticket : waiting_) {
    const auto& job = jobs_.at(ticket);
    auto at = job.arrived + config_.patience;
    if (known)
      at = std::min(at, job.not_before);
    earliest = earliest ? std::min(*earliest, at) : at;
  }
  return earliest;
}

forwarding::effects forwarding::abandon() {
  effects out;
  while (!jobs_.empty()) {
    const auto ticket = jobs_.begin()->first;
    const auto count = jobs_.begin()->second.what->commands.size();
    // What waits has certainly done nothing.
    end(ticket, waiting_.contains(ticket) ? nobody_leads(count) : unknown(count), out);
  }
  return out;
}

} // namespace novacron
