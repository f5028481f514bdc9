#include "actors/supervisor/supervisor_state.hpp"

#include <chrono>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using effects = supervisor_state::effects;

child_spec child(std::string name, restart_type restart = restart_type::permanent) {
  child_spec spec;
  spec.name = std::move(name);
  spec.restart = restart;
  spec.grace = 2s;
  return spec;
}

supervisor_spec three(restart_strategy strategy) {
  supervisor_spec spec;
  spec.name = "root";
  spec.strategy = strategy;
  spec.intensity = 3;
  spec.children = {child("a"), child("b"), child("c")};
  return spec;
}

/// Carries effects out at once, except for ends: those are the test's word.
struct rig {
  explicit rig(supervisor_spec spec) : state{std::move(spec)} { run(state.start(now)); }

  void run(const effects& some) {
    for (const auto& effect : some)
      if (auto* start = std::get_if<start_child>(&effect)) {
        said += "+" + start->name;
        if (start->name == broken)
          run(state.ended(start->name, "broken", now));
        else
          run(state.started(start->name, now));
      } else if (auto* stop = std::get_if<stop_child>(&effect))
        said += "-" + stop->name;
      else if (auto* kill = std::get_if<kill_child>(&effect))
        said += "!" + kill->name;
      else if (auto* end = std::get_if<end_supervisor>(&effect))
        said += end->gave_up.empty() ? "." : "#";
  }
  void dies(const std::string& name, const std::string& why = "a fault") {
    run(state.ended(name, why, now));
  }
  void finishes(const std::string& name) { run(state.ended(name, {}, now)); }
  void pass(std::chrono::milliseconds time) {
    now += time;
    run(state.tick(now));
  }
  /// The child, as others may see it; with place 0: it is unknown.
  supervisor_state::child_status look(std::string_view name) {
    supervisor_state::child_status out;
    state.each(0, now, [&](const auto& child) {
      if (child.name == name)
        out = child;
    });
    return out;
  }
  std::string heard() { return std::exchange(said, {}); }

  supervisor_state::time_point now{1h};
  std::string said;
  std::string broken;
  supervisor_state state;
};

} // namespace

TEST_CASE("children start in order and end in reverse, one after the other") {
  rig root{three(restart_strategy::one_for_one)};
  CHECK(root.heard() == "+a+b+c");
  root.run(root.state.stop(root.now));
  CHECK(root.heard() == "-c");
  root.finishes("c");
  CHECK(root.heard() == "-b");
  root.finishes("b");
  root.finishes("a");
  CHECK(root.heard() == "-a.");
}

TEST_CASE("one_for_one restarts the dead child alone") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  root.dies("b");
  CHECK(root.heard() == "+b");
}

TEST_CASE("one_for_all ends the others in reverse before it starts any") {
  rig root{three(restart_strategy::one_for_all)};
  root.heard();
  root.dies("b");
  CHECK(root.heard() == "-c");
  root.finishes("c");
  CHECK(root.heard() == "-a");
  root.finishes("a");
  CHECK(root.heard() == "+a+b+c");
}

TEST_CASE("rest_for_one restarts those that stand after the dead child") {
  rig root{three(restart_strategy::rest_for_one)};
  root.heard();
  root.dies("b");
  CHECK(root.heard() == "-c");
  root.finishes("c");
  CHECK(root.heard() == "+b+c");
}

TEST_CASE("a child that dies while its group is being ended is restarted once, with it") {
  rig root{three(restart_strategy::one_for_all)};
  root.heard();
  root.dies("a");
  CHECK(root.heard() == "-c");
  root.dies("b"); // by itself, while it waits for its turn to end
  root.finishes("c");
  CHECK(root.heard() == "+a+b+c");
}

TEST_CASE("a child that ignores its grace is killed, once") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  root.run(root.state.stop(root.now));
  CHECK(root.state.wake() == root.now + 2s);
  root.pass(1'999ms);
  CHECK(root.heard() == "-c");
  root.pass(1ms);
  root.pass(1s);
  CHECK(root.heard() == "!c");
}

TEST_CASE("a child without grace is killed at once") {
  auto spec = three(restart_strategy::one_for_one);
  spec.children[2].grace = 0ms;
  rig root{std::move(spec)};
  root.heard();
  root.run(root.state.stop(root.now));
  CHECK(root.heard() == "!c");
  root.dies("c");
  CHECK(root.heard() == "-b");
}

TEST_CASE("permanent children come back whatever they ended of") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  root.finishes("a");
  CHECK(root.heard() == "+a");
}

TEST_CASE("transient children come back after a failure, not after a normal end") {
  auto spec = three(restart_strategy::one_for_one);
  spec.children = {child("a", restart_type::transient)};
  rig root{std::move(spec)};
  root.heard();
  root.dies("a");
  CHECK(root.heard() == "+a");
  root.finishes("a");
  root.pass(1h);
  CHECK(root.heard() == "");
}

TEST_CASE("temporary children never come back") {
  auto spec = three(restart_strategy::one_for_all);
  spec.children[1].restart = restart_type::temporary;
  rig root{std::move(spec)};
  root.heard();
  SUBCASE("after a failure, which concerns nobody else either") {
    root.dies("b");
    root.pass(1h);
    CHECK(root.heard() == "");
  }
  SUBCASE("when they had to end with their group") {
    root.dies("c");
    CHECK(root.heard() == "-b");
    root.finishes("b");
    root.finishes("a");
    root.pass(1h);
    CHECK(root.heard() == "-a+a+c");
  }
}

TEST_CASE("a transient child that had ended comes back with its group") {
  auto spec = three(restart_strategy::rest_for_one);
  spec.children[2].restart = restart_type::transient;
  rig root{std::move(spec)};
  root.finishes("c");
  root.heard();
  root.dies("a");
  CHECK(root.heard() == "-b");
  root.finishes("b");
  CHECK(root.heard() == "+a+b+c");
}

TEST_CASE("a child that dies again and again is started ever more slowly") {
  auto spec = three(restart_strategy::one_for_one);
  spec.intensity = 100;
  rig root{std::move(spec)};
  root.heard();
  root.dies("a");
  CHECK(root.heard() == "+a");
  root.dies("a");
  CHECK(root.heard() == "");
  CHECK(root.state.wake() == root.now + 10ms);
  root.pass(10ms);
  CHECK(root.heard() == "+a");
  for (int i = 0; i < 20; ++i) {
    root.dies("a");
    root.pass(1s); // the longest
  }
  CHECK(root.look("a").restarts == 22);
}

TEST_CASE("a child that lived long starts at once again") {
  rig root{three(restart_strategy::one_for_one)};
  root.dies("a");
  root.heard();
  root.pass(10s);
  root.dies("a");
  CHECK(root.heard() == "+a");
}

TEST_CASE("too many deaths within the period end all children, then the supervisor") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  root.dies("a");
  root.dies("b");
  root.dies("c");
  CHECK(root.heard() == "+a+b+c");
  root.dies("a");
  CHECK(root.heard() == "-c");
  root.finishes("c");
  root.finishes("b");
  CHECK(root.heard() == "-b#");
}

TEST_CASE("deaths that are spread out are never too many") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  for (int i = 0; i < 50; ++i) {
    root.dies("a");
    root.pass(3'400ms);
  }
  CHECK(root.heard().find('#') == std::string::npos);
}

TEST_CASE("a child that can't be started counts as dead, and holds up those that need it") {
  auto spec = three(restart_strategy::rest_for_one);
  rig root{std::move(spec)};
  root.heard();
  root.broken = "b";
  root.dies("b");
  root.finishes("c");
  CHECK(root.heard() == "-c+b"); // c waits for b
  root.broken = "";
  root.pass(10ms);
  CHECK(root.heard() == "+b+c");
}

TEST_CASE("a child of a known name is not added twice") {
  rig root{three(restart_strategy::one_for_one)};
  root.heard();
  root.run(root.state.add(child("vm:1"), root.now));
  root.run(root.state.add(child("vm:1"), root.now));
  CHECK(root.heard() == "+vm:1");
}

TEST_CASE("children that were added end together, before those of the spec") {
  rig root{three(restart_strategy::one_for_one)};
  root.run(root.state.add(child("vm:1"), root.now));
  root.run(root.state.add(child("vm:2"), root.now));
  root.heard();
  root.run(root.state.stop(root.now));
  CHECK(root.heard() == "-vm:2-vm:1");
  root.finishes("vm:1");
  CHECK(root.heard() == "");
  root.finishes("vm:2");
  CHECK(root.heard() == "-c");
}

TEST_CASE("one of very many children that end together costs no more than one of few") {
  supervisor_spec spec;
  spec.name = "guests";
  supervisor_state state{spec};
  const supervisor_state::time_point now{1h};
  const size_t many = 40'000;
  for (size_t i = 0; i < many; ++i) {
    state.add(child(std::to_string(i)), now);
    state.started(std::to_string(i), now);
  }
  const auto began = std::chrono::steady_clock::now();
  CHECK(state.stop(now).size() == many);
  for (size_t i = 0; i < many; ++i) {
    CHECK(state.wake() == now + 2s);
    state.ended(std::to_string(i), {}, now);
  }
  // It takes a tenth of a second; looking at all at each end took minutes.
  CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("a child that was removed is forgotten once it has ended") {
  rig root{three(restart_strategy::one_for_one)};
  root.run(root.state.add(child("vm:1"), root.now));
  root.heard();
  root.run(root.state.remove("vm:1", root.now));
  CHECK(root.heard() == "-vm:1");
  root.dies("vm:1");
  CHECK(root.heard() == "");
  CHECK(root.state.find("vm:1") == nullptr);
}

TEST_CASE("an added child that is not to be restarted is forgotten") {
  rig root{three(restart_strategy::one_for_one)};
  root.run(root.state.add(child("vm:1", restart_type::transient), root.now));
  root.finishes("vm:1");
  CHECK(root.state.find("vm:1") == nullptr);
}

TEST_CASE("a child shows its state, how long it runs, and why it last died") {
  auto spec = three(restart_strategy::one_for_one);
  spec.intensity = 100;
  spec.children[2].restart = restart_type::temporary;
  rig root{std::move(spec)};
  root.pass(5s);
  CHECK(root.look("a").state == actor_state::running);
  CHECK(root.look("a").up == 5s);
  CHECK(root.look("a").last_failure == "");
  root.dies("a", "out of luck");
  CHECK(root.look("a").restarts == 1);
  CHECK(root.look("a").up == 0s);
  CHECK(root.look("a").last_failure == "out of luck");
  root.dies("a"); // in a row: it waits
  CHECK(root.look("a").state == actor_state::restarting);
  root.dies("c", "gone");
  CHECK(root.look("c").state == actor_state::ended);
  CHECK(root.look("c").last_failure == "gone");
  root.run(root.state.remove("b", root.now));
  CHECK(root.look("b").state == actor_state::stopping);
}

TEST_CASE("a child that had to be killed shows that it ignored its grace") {
  rig root{three(restart_strategy::one_for_all)};
  root.dies("b");
  root.pass(2s);
  root.dies("c", "killed");
  CHECK(root.look("c").last_failure == "it didn't end within 2000 ms, and was killed");
}

TEST_CASE("children are looked at in the order of starting, from a place on") {
  rig root{three(restart_strategy::one_for_one)};
  std::string seen;
  auto look = [&](supervisor_state::place after) {
    seen.clear();
    root.state.each(after, root.now, [&](const auto& child) { seen += child.name; });
  };
  look(0);
  CHECK(seen == "abc");
  look(root.look("a").place);
  CHECK(seen == "bc");
}
