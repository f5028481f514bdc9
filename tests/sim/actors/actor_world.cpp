#include "actor_world.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

// A process that the machine gives no time for a while.
constexpr uint64_t stall_per_steps = 4'000;
constexpr uint64_t longest_stall_ms = 60;

} // namespace

std::unique_ptr<process> actor_world::begin(uint64_t node, const node_clock& clock) {
  auto made = std::make_unique<process>(node, ++lives_, clock);
  processes_[made->life()].who = made.get();
  over.add(*made);
  return made;
}

bool actor_world::end(process& who, bool dark) {
  with.all.check.trace(61 + who.node() * 31 + with.all.time.now());
  processes_.erase(who.life());
  over.remove(who, dark);
  if (who.end())
    return true;
  static_cast<void>(
      with.all.check.broken("actors of node " + std::to_string(who.node())
                            + " outlive all who supervise them, or wait for an answer for ever"));
  return false;
}

void actor_world::freeze(const process& who, bool is) {
  processes_.at(who.life()).frozen = is;
  over.freeze(who, is);
}

actor_world::running* actor_world::choose() {
  std::vector<running*> some;
  for (auto& [life, each] : processes_)
    if (each.who->ready() && may_run(each))
      some.push_back(&each);
  return some.empty() ? nullptr : some[with.all.luck.below(some.size())];
}

bool actor_world::step(uint64_t until) {
  auto& all = with.all;
  if (!soon_.empty())
    for (auto& call : std::exchange(soon_, {}))
      call();
  if (!all.check.first_violation().empty())
    throw violation{all.check.first_violation()};
  // What is due may come before or after what actors have to do.
  const bool due = all.time.next() == all.time.now();
  auto chosen = due && all.luck.below(3) == 0 ? nullptr : choose();
  if (!chosen)
    return let_time_pass(until);
  const auto who = chosen->who->step(all.luck);
  all.check.trace(71 + chosen->who->node() * 31 + who * 1009 + all.time.now() * 131071);
  if (all.luck.below(stall_per_steps) == 0)
    chosen->stalled_until = all.time.now() + all.luck.between(1, longest_stall_ms);
  return true;
}

bool actor_world::let_time_pass(uint64_t until) {
  auto& time = with.all.time;
  const auto present = time.now();
  auto next = time.next().value_or(until + 1);
  for (const auto& [life, each] : processes_) {
    if (each.frozen)
      continue;
    if (each.who->ready())
      next = std::min(next, std::max(each.stalled_until, present));
    else if (auto timer = each.who->next_timer_ms())
      next = std::min(next, present + std::max<uint64_t>(*timer, 1));
  }
  const bool more = next <= until;
  time.step(std::min(next, until));
  if (time.now() != present)
    for (auto& [life, each] : processes_)
      if (!each.frozen)
        each.who->pass();
  return more;
}

} // namespace novacron::sim
