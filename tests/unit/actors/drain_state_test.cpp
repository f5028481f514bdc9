#include "actors/drain/drain_state.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const drain_state::time_point start{1h};
const task_id the_task{{5, 1}};

vm_id vm_number(uint64_t n) {
  return {{1, n}};
}

drain_config with_ids(uuid_source ids) {
  drain_config config;
  config.ids = std::move(ids);
  return config;
}

/// A driver that knows one task, which the test changes as the log would.
struct driven_task {
  explicit driven_task(size_t vms, uint32_t parallel = 2) {
    task.id = the_task;
    task.host = {{0, 1}};
    task.parallel = parallel;
    task.revision = 1;
    for (uint64_t n = 1; n <= vms; ++n) {
      task_move move;
      move.vm = vm_number(n);
      task.moves.push_back(move);
    }
    driver.put(task, start);
  }

  task_move& part(uint64_t n) { return task.moves.at(n - 1); }

  void show(drain_state::time_point now = start) {
    ++task.revision;
    driver.put(task, now);
  }

  std::vector<move_vm> orders(drain_state::time_point now = start) {
    std::vector<move_vm> out;
    for (const auto& each : driver.tick(now))
      out.push_back(std::get<give_order>(each).order);
    return out;
  }

  drain_state::effects refuse(const move_vm& order, command_errc error,
                              drain_state::time_point now = start) {
    command_outcome outcome;
    outcome.error = error;
    outcome.detail = "no host can take it";
    return driver.answered(order, outcome, now);
  }

  task_record task;
  uint64_t ids = 0;
  drain_state driver{with_ids([this] { return uuid{7, ++ids}; })};
};

} // namespace

TEST_CASE("as many VMs are ordered to move as may move at a time, in the task's order") {
  driven_task x{4};
  auto first = x.orders();
  REQUIRE(first.size() == 2);
  CHECK(first[0].vm == vm_number(1));
  CHECK(first[1].vm == vm_number(2));
  CHECK(first[0].to.nil());
  CHECK(first[0].migration != first[1].migration);
  CHECK(x.orders().empty());
  x.part(1).state = move_state::moving;
  x.show();
  x.driver.answered(first[0], {}, start);
  CHECK(x.orders().empty());
  x.part(1).state = move_state::finished;
  x.show();
  auto next = x.orders();
  REQUIRE(next.size() == 1);
  CHECK(next[0].vm == vm_number(3));
}

TEST_CASE("an order that was accepted isn't given again before the feed shows what it did") {
  driven_task x{1};
  auto order = x.orders().at(0);
  x.driver.answered(order, {}, start);
  CHECK(x.orders(start + 500ms).empty());
  x.part(1).state = move_state::moving;
  x.show();
  CHECK(x.orders(start + 1h).empty());
}

TEST_CASE("what nobody has room for waits ever longer, says why once, and lets others go first") {
  driven_task x{2, 1};
  auto order = x.orders().at(0);
  auto effects = x.refuse(order, command_errc::no_capacity);
  REQUIRE(effects.size() == 1);
  const auto note = std::get<write_note>(effects[0]).note;
  CHECK(note.vm == vm_number(1));
  CHECK(note.reason == "no host can take it");
  CHECK(x.orders().at(0).vm == vm_number(2));
  x.part(2).state = move_state::finished;
  x.part(1).reason = note.reason;
  x.show();
  CHECK(x.orders(start + 999ms).empty());
  auto again = x.orders(start + 1s);
  REQUIRE(again.size() == 1);
  CHECK(x.refuse(again[0], command_errc::no_capacity, start + 1s).empty()); // it says so already
  CHECK(x.orders(start + 2'900ms).empty());
  CHECK(x.orders(start + 3s).size() == 1);
}

TEST_CASE("what stood in a VM's way is gone: it is tried at once") {
  driven_task x{1};
  x.part(1).reason = "it is paused: resume it or stop it";
  x.show();
  auto order = x.orders().at(0);
  x.refuse(order, command_errc::wrong_state);
  CHECK(x.orders(start + 10ms).empty());
  x.part(1).reason.clear();
  x.show(start + 20ms);
  CHECK(x.orders(start + 20ms).size() == 1);
}

TEST_CASE("a migration that was rolled back is tried again after a while, as another attempt") {
  driven_task x{1};
  x.driver.answered(x.orders().at(0), {}, start);
  x.part(1).state = move_state::moving;
  x.show();
  x.part(1).state = move_state::waiting;
  x.part(1).attempts = 2;
  x.part(1).reason = "rolled back: the link broke";
  x.show();
  CHECK(x.orders(start + 1'900ms).empty());
  auto again = x.orders(start + 2s);
  REQUIRE(again.size() == 1);
  CHECK(again[0].attempt == 2);
}

TEST_CASE("an order that came at the wrong time is no reason to write down") {
  driven_task x{1};
  CHECK(x.refuse(x.orders().at(0), command_errc::revision_mismatch).empty());
  CHECK(x.refuse(x.orders(start + 1s).at(0), command_errc::not_leader).empty());
  CHECK(x.refuse(x.orders(start + 1h).at(0), command_errc::migration_in_progress).empty());
}

TEST_CASE("an order whose fate nobody knows is given again; compare-and-set makes that harmless") {
  driven_task x{1};
  x.driver.not_answered(x.orders().at(0), start);
  CHECK(x.orders(start + 999ms).empty());
  CHECK(x.orders(start + 1s).size() == 1);
}

TEST_CASE("a task that has ended, or is gone, is driven no more") {
  driven_task x{2};
  SUBCASE("it was cancelled") {
    x.task.state = task_state::cancelled;
    x.show();
  }
  SUBCASE("it was removed") {
    x.driver.remove(x.task);
  }
  SUBCASE("a listing doesn't name it") {
    x.driver.keep_only({});
  }
  CHECK(x.orders().empty());
  CHECK(x.driver.running() == 0);
}

TEST_CASE("one that starts anew goes on from the record alone") {
  driven_task x{3};
  x.part(1).state = move_state::finished;
  x.part(2).state = move_state::moving;
  x.show();
  drain_state another{with_ids([] { return uuid{8, 8}; })};
  another.put(x.task, start);
  auto effects = another.tick(start);
  REQUIRE(effects.size() == 1);
  CHECK(std::get<give_order>(effects[0]).order.vm == vm_number(3));
}

TEST_CASE("a rebalance's moves go where the plan said") {
  driven_task x{1};
  x.task.kind = task_kind::rebalance;
  x.part(1).to = {{0, 3}};
  x.show();
  CHECK(x.orders().at(0).to == node_id{{0, 3}});
}

TEST_CASE("a record that is older than what came before changes nothing") {
  driven_task x{1};
  x.task.state = task_state::running;
  x.part(1).state = move_state::moving;
  x.show();
  auto old = x.task;
  old.revision = 1;
  old.moves[0].state = move_state::waiting;
  x.driver.put(old, start);
  CHECK(x.orders().empty());
}

namespace {

vm_record vm_that_is(uint64_t n, actual_state actual) {
  vm_record vm;
  vm.id = vm_number(n);
  vm.actual = actual;
  return vm;
}

} // namespace

TEST_CASE("what is stopped on an evacuated host leaves the room to what is to run") {
  driven_task x{2};
  x.task.kind = task_kind::evacuation;
  x.show();
  x.driver.put(vm_that_is(1, actual_state::lost), start);
  x.driver.put(vm_that_is(3, actual_state::lost), start); // of another host
  CHECK(x.orders().empty());
  SUBCASE("until recovery has placed it") {
    x.part(1).state = move_state::moving;
    x.show();
  }
  SUBCASE("until it needs none any more") {
    x.part(1).state = move_state::finished;
    x.show();
    x.driver.put(vm_that_is(1, actual_state::defined), start);
  }
  auto orders = x.orders();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].vm == vm_number(2));
}

TEST_CASE("what is stopped on an evacuated host doesn't wait for what starts elsewhere") {
  driven_task x{3};
  x.task.kind = task_kind::evacuation;
  x.part(1).state = x.part(2).state = move_state::moving;
  x.show();
  const auto orders = x.orders();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].vm == vm_number(3));
}

TEST_CASE("a lost VM that is forgotten keeps nobody waiting") {
  driven_task x{1};
  x.task.kind = task_kind::evacuation;
  x.show();
  x.driver.put(vm_that_is(1, actual_state::lost), start);
  REQUIRE(x.orders().empty());
  SUBCASE("it was removed") {
    x.driver.remove(vm_that_is(1, actual_state::lost));
  }
  SUBCASE("it was stopped, and waits as others do") {
    x.driver.put(vm_that_is(1, actual_state::defined), start);
  }
  SUBCASE("a listing doesn't name it") {
    x.driver.keep_only({{record_type::task, the_task.value}});
  }
  CHECK(x.orders().size() == 1);
}

TEST_CASE("a drain's orders wait for no lost VM") {
  driven_task x{2};
  x.driver.put(vm_that_is(1, actual_state::lost), start);
  CHECK(x.orders().size() == 2);
}
