#include "process.hpp"

#include "actors/peer/mesh_errors.hpp"
#include "messages/actors.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <caf/io/middleman.hpp>
#include <vector>

namespace novacron::sim {

namespace {

/// Actors that have lost everybody end within so many of their own timers.
constexpr int most_rounds = 200;

caf::actor_id id_of(caf::resumable& job) {
  auto actor = dynamic_cast<caf::abstract_actor*>(&job);
  return actor ? actor->id() : 0;
}

} // namespace

process::config::config() {
  add_message_types<caf::id_block::novacron>();
  add_error_category(mesh_errors, [](uint8_t, caf::atom_value, const caf::message& context) {
    return context.match_elements<std::string>() ? context.get_as<std::string>(0) : "mesh error";
  });
  set("scheduler.policy", caf::atom("testing"));
  // Without a middleman a system has no name. This one has neither threads nor sockets.
  load<caf::io::middleman>();
  set("middleman.network-backend", caf::atom("testing"));
  set("middleman.workers", size_t{0});
  set("middleman.enable-automatic-connections", false);
}

process::process(uint64_t node, uint64_t life, const node_clock& clock)
    : node_{node}, life_{life}, clock_{clock},
      coordinator_{dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())} {
  coordinator_.clock().current_time = clock_.steady();
}

process::~process() = default;

caf::actor_id process::step(chance& luck) {
  auto& jobs = coordinator_.jobs;
  std::swap(jobs.front(), jobs[luck.below(jobs.size())]);
  const auto who = id_of(*jobs.front());
  coordinator_.run_once();
  return who;
}

void process::pass() {
  auto& own = coordinator_.clock();
  const auto now = clock_.steady();
  if (now <= own.current_time)
    return;
  own.current_time = now;
  own.trigger_expired_timeouts();
}

std::optional<uint64_t> process::next_timer_ms() const {
  const auto& timers = coordinator_.clock().schedule();
  if (timers.empty())
    return std::nullopt;
  const auto wait = timers.begin()->first - coordinator_.clock().current_time;
  return std::max<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(wait).count(), 0);
}

bool process::kill_some(chance& luck, const std::set<caf::actor_id>& spared) {
  std::vector<caf::actor> some;
  for (auto* job : coordinator_.jobs)
    if (auto actor = dynamic_cast<caf::local_actor*>(job); actor && !spared.contains(actor->id()))
      some.push_back(caf::actor_cast<caf::actor>(caf::strong_actor_ptr{actor->ctrl()}));
  if (some.empty())
    return false;
  caf::anon_send_exit(some[luck.below(some.size())], caf::exit_reason::kill);
  return true;
}

bool process::end() {
  for (int i = 0; i < most_rounds; ++i) {
    coordinator_.run();
    if (system_.registry().running() == 0)
      break;
    coordinator_.clock().trigger_timeout();
  }
  coordinator_.clock().cancel_all();
  const bool all_gone = system_.registry().running() == 0;
  if (!all_gone)
    system_.await_actors_before_shutdown(false);
  return all_gone;
}

} // namespace novacron::sim
