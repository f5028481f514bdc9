#include "actors/frontend/forwarding.hpp"

#include <algorithm>

namespace novacron {

namespace {

outcomes all(size_t count, command_errc error, std::string detail) {
  command_outcome outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  return {std::vector<command_outcome>(count, outcome)};
}

outcomes nobody_leads(size_t count) {
  return all(count, command_errc::not_leader,
             "no leader could be reached in time; nothing was committed: come back later");
}

outcomes unknown(size_t count) {
  return all(count, command_errc::unknown_outcome,
             "the leader was lost before it answered; ask again with the same Idempotency-Key");
}

/// Whether the cluster's version, as far as it is known, knows all of it.
bool too_new(const proposal& what, uint32_t version) {
  return version != 0 && std::ranges::any_of(what.commands, [&](const command& each) {
           return least_version(each.body) > version;
         });
}

bool did_nothing(const outcomes& answer) {
  return std::ranges::all_of(answer.each, [](const command_outcome& each) {
    return each.error == command_errc::not_leader;
  });
}

} // namespace

forwarding::effects forwarding::submitted(proposal_ticket ticket, proposal what, bool forwarded,
                                          time_point now) {
  const auto count = what.commands.size();
  if (count == 0 || commands_ + count > config_.most_commands)
    return {answer_proposal{
        ticket, all(count, command_errc::overloaded,
                    "too many commands wait for the leader; nothing was committed: come back "
                    "later")}};
  // A leader of an earlier version couldn't even read it.
  if (too_new(what, leader_.cluster_version))
    return {answer_proposal{
        ticket, all(count, command_errc::needs_upgrade,
                    "the cluster is at version " + std::to_string(leader_.cluster_version)
                        + ", which doesn't know this command yet: upgrade every controller; "
                          "`novacron cluster status` shows which are behind")}};
  commands_ += count;
  jobs_[ticket] = {std::make_shared<const proposal>(std::move(what)), now, now, forwarded};
  waiting_.insert(ticket);
  effects out;
  dispatch(now, out);
  return out;
}

forwarding::effects forwarding::led_by(const leadership& who, time_point now) {
  leader_ = who;
  for (auto ticket : waiting_)
    jobs_.at(ticket).not_before = now;
  effects out;
  dispatch(now, out);
  return out;
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

forwarding::effects forwarding::not_sent(proposal_ticket ticket, time_point now) {
  return jobs_.contains(ticket) ? wait_again(ticket, now) : effects{};
}

forwarding::effects forwarding::lost(proposal_ticket ticket) {
  effects out;
  if (auto found = jobs_.find(ticket); found != jobs_.end())
    end(ticket, unknown(found->second.what->commands.size()), out);
  return out;
}

forwarding::effects forwarding::tick(time_point now) {
  effects out;
  dispatch(now, out);
  return out;
}

forwarding::effects forwarding::wait_again(proposal_ticket ticket, time_point now) {
  jobs_.at(ticket).not_before = now + config_.retry;
  waiting_.insert(ticket);
  effects out;
  dispatch(now, out);
  return out;
}

void forwarding::dispatch(time_point now, effects& out) {
  std::vector<proposal_ticket> over;
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    const auto ticket = *i;
    const auto& job = jobs_.at(ticket);
    const auto elsewhere = !leader_.here && !leader_.leads.nil();
    if (now - job.arrived >= config_.patience || (job.forwarded && !leader_.here)) {
      over.push_back(ticket);
      i = waiting_.erase(i);
    } else if (now >= job.not_before && (leader_.here || elsewhere)) {
      if (elsewhere)
        out.emplace_back(forward_proposal{ticket, leader_.leads, job.what});
      else
        out.emplace_back(submit_here{ticket, job.what});
      i = waiting_.erase(i);
    } else {
      ++i;
    }
  }
  for (auto ticket : over)
    end(ticket, nobody_leads(jobs_.at(ticket).what->commands.size()), out);
}

void forwarding::end(proposal_ticket ticket, outcomes answer, effects& out) {
  auto done = jobs_.extract(ticket);
  commands_ -= done.mapped().what->commands.size();
  waiting_.erase(ticket);
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
