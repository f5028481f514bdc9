#include "controller_line.hpp"

#include "ask.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t read_patience_ms = 3'000;
constexpr uint64_t probe_patience_ms = 1'000;

std::vector<controller*> all_of(const fleet& with) {
  std::vector<controller*> all;
  for (const auto& [number, each] : with.controllers)
    all.push_back(each);
  return all;
}

bool did_nothing(const outcomes& answer) {
  return !answer.each.empty() && std::ranges::all_of(answer.each, [](const auto& each) {
    return each.error == command_errc::not_leader;
  });
}

} // namespace

controller_line::controller_line(fleet& with, uint64_t self, gate deliver)
    : with_{with}, self_{self}, deliver_{std::move(deliver)},
      controllers_{all_of(with)}, choice_{controllers_.size(), self, self % 2 == 1} {
  // nop
}

void controller_line::learn_controllers() {
  if (controllers_.size() == with_.controllers.size())
    return;
  for (const auto& [number, each] : with_.controllers)
    if (std::ranges::find(controllers_, each) == controllers_.end())
      controllers_.push_back(each);
  choice_.grow(controllers_.size());
}

void controller_line::propose(const proposal& what, uint64_t patience_ms, proposal_then then) {
  propose(what, with_.all.time.now() + patience_ms, controllers_.size(), std::move(then));
}

void controller_line::propose(const proposal& what, uint64_t until_ms, size_t left,
                              proposal_then then) {
  learn_controllers();
  const auto which = choice_.present();
  const auto since = with_.all.time.now();
  if (since >= until_ms) {
    then(std::nullopt);
    return;
  }
  auto target = controllers_[which];
  sim::ask<proposal_answer>(
      with_.all.net, with_.all.time, self_, target->number(), until_ms - since,
      [target, what](auto reply) {
        if (!target->up())
          reply({{}, true});
        else
          target->propose(what, false, [reply](const outcomes& x) { reply({x, false}); });
      },
      [this, deliver = deliver_, which, what, until_ms, left,
       then](const std::optional<proposal_answer>& answer) {
        deliver([this, which, what, until_ms, left, then, answer] {
          if (!answer || answer->nothing_done || did_nothing(answer->each))
            choice_.failed(which, now());
          if (answer && answer->nothing_done && left > 1)
            propose(what, until_ms, left - 1, then);
          else if (answer && !answer->nothing_done)
            then(answer->each);
          else
            then(std::nullopt);
        });
      });
}

template <class Answer, class Question>
void controller_line::read(Question question,
                           std::function<void(const std::optional<Answer>&)> then) {
  learn_controllers();
  const auto which = choice_.present();
  auto target = controllers_[which];
  sim::ask<std::optional<Answer>>(
      with_.all.net, with_.all.time, self_, target->number(), read_patience_ms,
      [target, question](auto reply) {
        if (target->up())
          question(*target, reply);
        else
          reply(std::nullopt);
      },
      [this, deliver = deliver_, which, then](const std::optional<std::optional<Answer>>& answer) {
        deliver([this, which, then, answer] {
          const auto& got = answer ? *answer : std::nullopt;
          if (!got)
            choice_.failed(which, now());
          then(got);
        });
      });
}

void controller_line::list(const list_request& what,
                           std::function<void(const std::optional<feed_listing>&)> then) {
  read<feed_listing>([what](controller& asked, const auto& reply) { asked.list(what, reply); },
                     std::move(then));
}

void controller_line::pull(const pull_request& what,
                           std::function<void(const std::optional<feed_changes>&)> then) {
  read<feed_changes>(
      [what, self = self_](controller& asked, const auto& reply) { asked.pull(what, self, reply); },
      std::move(then));
}

void controller_line::probe() {
  if (std::exchange(probing_, true))
    return;
  learn_controllers();
  const auto which = choice_.present();
  auto target = controllers_[which];
  sim::ask<uint64_t>(
      with_.all.net, with_.all.time, self_, target->number(), probe_patience_ms,
      [target](auto reply) {
        if (target->up())
          reply(target->leader_number());
      },
      [this, deliver = deliver_, which](const std::optional<uint64_t>& leader) {
        deliver([this, which, leader] {
          probing_ = false;
          if (leader)
            probed(which, *leader);
          else
            choice_.failed(which, now());
        });
      });
}

void controller_line::probed(size_t which, uint64_t leader) {
  choice_.probed(which, leader != 0, now());
  const auto leading = with_.controllers.find(leader);
  std::vector<controller_grade> grades;
  for (const auto* each : controllers_)
    if (auto grade = leading == with_.controllers.end() ? std::nullopt
                                                        : leading->second->grade_of(each->number()))
      grades.push_back(*grade);
  if (!grades.empty())
    choice_.graded(grades, now());
}

controller_choice::time_point controller_line::now() const {
  return controller_choice::time_point{std::chrono::milliseconds{with_.all.time.now()}};
}

} // namespace novacron::sim
