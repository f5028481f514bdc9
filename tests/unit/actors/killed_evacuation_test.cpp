#include "tests/unit/actors/small_cluster.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// Two guests, one of them with a restart policy, and stopped VMs on the second host.
struct lost_host : small_cluster {
  vm_id guarded = run_guest(second, restart_policy::on_failure);
  vm_id plain = run_guest(second);
  std::vector<vm_id> stopped{make_stopped("a"), make_stopped("b"), make_stopped("c")};
  task_id task{random_uuid()};

  vm_id make_stopped(const std::string& name) {
    create_vm wish;
    wish.vm = {random_uuid()};
    wish.name = name;
    wish.spec.image = "tick";
    wish.host = second.id;
    wish.operation = {random_uuid()};
    insist(wish);
    return wish.vm;
  }

  void cordon_first(maintenance_wish wish) {
    maintain_host x;
    x.host = first.id;
    x.wish = wish;
    insist(x);
  }

  /// The second host is switched off, and somebody says so.
  void switch_off_second() {
    end_agent(second);
    second.machine->set_deadline(0ns); // what its fencer does at the deadline
    for (const auto& guest : second.machine->guests())
      second.machine->kill_guest(guest.vm);
    const auto& self = second.context->self;
    auto renewed = insist(renew_lease{self.id, self.boot, 10s});
    insist(expire_lease{self.id, renewed.lease.renewal});
    insist(fence_host{self.id, task});
  }

  std::ptrdiff_t count(move_state state) {
    auto record = find<task_record>(task);
    return record ? std::ranges::count(record->moves, state, &task_move::state) : 0;
  }

  bool all_evacuated() {
    return becomes([&] {
      auto record = find<task_record>(task);
      return record && record->state == task_state::finished;
    });
  }

  void check_places() {
    for (const auto& id : {guarded, plain}) {
      auto record = find<vm_record>(id);
      CHECK(record->host == first.id);
      CHECK(record->actual == actual_state::running);
      CHECK(first.runs(id));
    }
    for (const auto& id : stopped) {
      auto record = find<vm_record>(id);
      CHECK(record->host == first.id);
      CHECK(record->actual == actual_state::defined);
      CHECK(!first.guest(id));
    }
    CHECK(find<host_record>(second.id)->state == host_state::fenced);
  }
};

} // namespace

TEST_CASE_FIXTURE(lost_host, "a host that is off is evacuated: guests start, stopped VMs don't") {
  switch_off_second();
  CHECK(all_evacuated());
  check_places();
}

TEST_CASE_FIXTURE(lost_host, "an evacuation waits for room, whoever is killed, and goes on then") {
  cordon_first(maintenance_wish::cordon);
  switch_off_second();
  REQUIRE(becomes([&] {
    auto record = find<task_record>(task);
    return record && std::ranges::count_if(record->moves, [](const auto& move) {
                       return move.reason.find("cordoned") != std::string::npos;
                     }) == 2;
  }));
  CHECK(count(move_state::waiting) == 5);
  kill("services/drain");
  kill("services/recovery");
  CHECK(count(move_state::waiting) == 5);
  cordon_first(maintenance_wish::uncordon);
  CHECK(all_evacuated());
  check_places();
}
