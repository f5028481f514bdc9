#include "actors/supervisor/supervisor_state.hpp"

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
          run(state.ended(start->name, false, now));
        else
          run(state.started(start->name, now));
      } else if (auto* stop = std::get_if<stop_child>(&effect))
        said += "-" + stop->name;
      else if (auto* kill = std::get_if<kill_child>(&effect))
        said += "!" + kill->name;
      else if (auto* end = std::get_if<end_supervisor>(&effect))
        said += end->gave_up.empty() ? "." : "#";
  }
  void dies(const std::string& name) { run(state.ended(name, false, now)); }
  void finishes(const std::string& name) { run(state.ended(name, true, now)); }
  void pass(std::chrono::milliseconds time) {
    now += time;
    run(state.tick(now));
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

TEST_CASE("transient children come back after a failure, not after a normal end") {
  auto spec = three(restart_strategy::one_for_one);
  spec.children = {child("a", restart_type::transient), child("b", restart_type::temporary)};
  rig root{std::move(spec)};
  root.heard();
  root.dies("a");
  CHECK(root.heard() == "+a");
  root.finishes("a");
  root.dies("b");
  root.pass(1h);
  CHECK(root.heard() == "");
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
  CHECK(root.state.restarts("a") == 22);
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
