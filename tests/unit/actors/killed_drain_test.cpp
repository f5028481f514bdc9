#include "tests/unit/actors/small_cluster.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// Three guests and a stopped VM on the first host, which is to be emptied.
struct drained_host : small_cluster {
  std::vector<vm_id> guests{run_guest(first), run_guest(first), run_guest(first)};
  vm_id stopped = make_stopped();
  task_id task{random_uuid()};

  vm_id make_stopped() {
    create_vm wish;
    wish.vm = {random_uuid()};
    wish.name = "stopped";
    wish.spec.image = "tick";
    wish.host = first.id;
    wish.operation = {random_uuid()};
    insist(wish);
    return wish.vm;
  }

  void drain(uint32_t parallel = 1) {
    maintain_host wish;
    wish.host = first.id;
    wish.wish = maintenance_wish::drain;
    wish.task = task;
    wish.parallel = parallel;
    insist(wish);
  }

  bool ends(task_state how) {
    return becomes([&] {
      auto record = find<task_record>(task);
      return record && record->state == how;
    });
  }

  size_t finished() {
    auto record = find<task_record>(task);
    return record ? static_cast<size_t>(
               std::ranges::count(record->moves, move_state::finished, &task_move::state))
                  : 0;
  }

  /// Every guest runs at the second host, and nowhere else.
  bool all_moved() {
    return becomes([&] {
      return std::ranges::all_of(guests, [&](vm_id vm) {
        auto record = find<vm_record>(vm);
        return record && record->host == second.id && record->actual == actual_state::running
               && second.runs(vm) && !first.guest(vm);
      });
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(drained_host, "a drain moves guests and places what has none, one by one") {
  drain();
  CHECK(ends(task_state::finished));
  CHECK(all_moved());
  CHECK(find<vm_record>(stopped)->host == second.id);
  CHECK(find<host_record>(first.id)->state == host_state::drained);
  CHECK(first.machine->guests().empty());
}

TEST_CASE_FIXTURE(drained_host, "a killed drain's actor goes on from the task's record") {
  first.calls->hold("migrate", 2); // in the middle of the first guest's move
  drain();
  REQUIRE(becomes([&] { return first.calls->holds("migrate"); }));
  kill("services/drain");
  first.calls->release();
  CHECK(ends(task_state::finished));
  CHECK(all_moved());
  const auto record = *find<task_record>(task);
  for (const auto& move : record.moves)
    CHECK(move.attempts == 0); // nothing was disturbed, nothing was begun twice
}

TEST_CASE_FIXTURE(drained_host, "killed after each VM that has left, it still empties the host") {
  drain();
  for (size_t n = 1; n <= 3; ++n) {
    REQUIRE(becomes([&] { return finished() >= n; }));
    kill("services/drain");
  }
  CHECK(ends(task_state::finished));
  CHECK(all_moved());
}

TEST_CASE_FIXTURE(drained_host, "a migration that is rolled back under a drain is made again") {
  first.calls->hold("migrate", 2);
  drain();
  REQUIRE(becomes([&] { return first.calls->holds("migrate"); }));
  migration_id broken;
  vm_id moving;
  const auto before = *find<task_record>(task);
  for (const auto& move : before.moves)
    if (move.state == move_state::moving) {
      broken = move.migration;
      moving = move.vm;
    }
  REQUIRE(!broken.nil());
  insist(decide_migration{broken, find<migration_record>(broken)->epoch, migration_decision::abort,
                          "the test says so"});
  first.calls->release();
  CHECK(ends(task_state::finished));
  CHECK(all_moved());
  const auto after = *find<task_record>(task);
  for (const auto& move : after.moves)
    CHECK(move.attempts == (move.vm == moving ? 1 : 0));
}

TEST_CASE_FIXTURE(drained_host, "a paused VM is waited for, and shown, until it runs again") {
  request(guests[0], requested_state::paused);
  REQUIRE(becomes([&] { return shows(guests[0], actual_state::paused); }));
  drain();
  CHECK(becomes([&] { return finished() == 3; }));
  const auto record = *find<task_record>(task);
  for (const auto& move : record.moves)
    if (move.vm == guests[0]) {
      CHECK(move.state == move_state::waiting);
      CHECK(!move.reason.empty());
    }
  request(guests[0], requested_state::running);
  CHECK(ends(task_state::finished));
  CHECK(all_moved());
}

TEST_CASE_FIXTURE(drained_host,
                  "a killed rebalance goes on from its record, and moves no one else") {
  first.calls->hold("migrate", 2); // in the middle of the first guest's move
  insist(start_rebalance{task, 1, {{guests[0], second.id}, {guests[1], second.id}}});
  REQUIRE(becomes([&] { return first.calls->holds("migrate"); }));
  kill("services/drain");
  first.calls->release();
  REQUIRE(becomes([&] { return finished() == 1; }));
  kill("services/drain");
  CHECK(ends(task_state::finished));
  for (const auto& move : find<task_record>(task)->moves) {
    CHECK(move.state == move_state::finished);
    CHECK(move.attempts == 0);
  }
  for (const auto vm : {guests[0], guests[1]}) {
    CHECK(find<vm_record>(vm)->host == second.id);
    CHECK(becomes([&] { return second.runs(vm) && !first.guest(vm); }));
  }
  CHECK(find<vm_record>(guests[2])->host == first.id);
  CHECK(first.runs(guests[2]));
  CHECK(find<host_record>(first.id)->state == host_state::up);
}
