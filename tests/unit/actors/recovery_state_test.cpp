#include "actors/recovery/recovery_state.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const recovery_state::time_point start{1h};

node_id host_id(uint64_t n) {
  return {{0, n}};
}
vm_id vm_number(uint64_t n) {
  return {{0, n}};
}

host_record host(uint64_t n, host_state state, uint64_t lost_lease = 0, uint64_t revision = 1) {
  host_record out;
  out.id = host_id(n);
  out.state = state;
  out.lost_lease = lost_lease;
  out.memory_mib = 1'024;
  out.revision = revision;
  return out;
}

vm_record lost_vm(uint64_t n, uint64_t revision = 1) {
  vm_record out;
  out.id = vm_number(n);
  out.host = host_id(1);
  out.epoch = {3, 7};
  out.requested = requested_state::running;
  out.actual = actual_state::lost;
  out.fenced = true;
  out.revision = revision;
  return out;
}

command_outcome waits() {
  command_outcome out;
  out.detail = "node-2 has 1 MiB free";
  return out;
}

command_outcome refused(command_errc why) {
  command_outcome out;
  out.error = why;
  return out;
}

/// node-1 was lost with lease 42, and VM 1 with it.
struct one_lost {
  recovery_state recovery;
  one_lost() {
    recovery.put(host(1, host_state::unreachable, 42));
    recovery.put(lost_vm(1));
  }
  size_t orders(recovery_state::time_point now) { return recovery.next(now).size(); }
};

} // namespace

TEST_CASE_FIXTURE(one_lost, "a lost VM whose guest surely ended is ordered once") {
  auto orders = recovery.next(start);
  REQUIRE(orders.size() == 1);
  CHECK(orders.front() == replace_vm{vm_number(1), {3, 7}, 42, {}, {}});
  CHECK(recovery.next(start + 1h).empty());
  recovery.answered(vm_number(1), command_outcome{}, start);
  auto placed = lost_vm(1, 2);
  placed.actual = actual_state::starting;
  placed.fenced = false;
  recovery.put(placed);
  CHECK(recovery.waiting() == 0);
  CHECK(recovery.next(start + 1h).empty());
}

TEST_CASE("others are left alone: who may run, isn't to run, moves, or isn't lost") {
  recovery_state recovery;
  recovery.put(host(1, host_state::unreachable, 42));
  auto one = lost_vm(1);
  one.fenced = false;
  recovery.put(one);
  auto two = lost_vm(2);
  two.requested = requested_state::stopped;
  recovery.put(two);
  auto three = lost_vm(3);
  three.migration = {{0, 9}};
  recovery.put(three);
  auto four = lost_vm(4);
  four.actual = actual_state::starting;
  recovery.put(four);
  CHECK(recovery.next(start).empty());
}

TEST_CASE_FIXTURE(one_lost, "an order that nobody answered, or that failed, is given again later") {
  std::optional<command_outcome> answer;
  SUBCASE("nobody knows") {}
  SUBCASE("somebody took the room") {
    answer = refused(command_errc::no_capacity);
  }
  SUBCASE("stale") {
    answer = refused(command_errc::stale_lease);
  }
  SUBCASE("applied, but the feed says nothing new") {
    answer = command_outcome{};
  }
  REQUIRE(orders(start) == 1);
  recovery.answered(vm_number(1), answer, start);
  CHECK(orders(start + 999ms) == 0);
  CHECK(orders(start + 1s) == 1);
  recovery.answered(vm_number(1), answer, start + 1s);
  CHECK(orders(start + 2'999ms) == 0); // twice as long
  CHECK(orders(start + 3s) == 1);
}

TEST_CASE_FIXTURE(one_lost, "without room it waits for something that may have made some") {
  REQUIRE(orders(start) == 1);
  recovery.answered(vm_number(1), waits(), start);
  auto said = lost_vm(1, 2);
  said.reason = "node-2 has 1 MiB free";
  recovery.put(said); // its own reason is no news
  CHECK(orders(start + 10h) == 0);
  SUBCASE("a host that comes up") {
    recovery.put(host(2, host_state::up));
  }
  SUBCASE("a host that has grown") {
    recovery.put(host(2, host_state::up, 0, 2));
    orders(start + 10h);
    recovery.answered(vm_number(1), waits(), start + 10h);
    auto larger = host(2, host_state::up, 0, 3);
    recovery.put(larger);
    CHECK(orders(start + 20h) == 0);
    larger.memory_mib *= 2;
    larger.revision = 4;
    recovery.put(larger);
  }
  SUBCASE("a host that its operator has changed") {
    recovery.put(host(2, host_state::up, 0, 2));
    orders(start + 10h);
    recovery.answered(vm_number(1), waits(), start + 10h);
    auto other = host(2, host_state::up, 0, 3);
    SUBCASE("by a label") {
      other.labels["disk"] = "ssd";
    }
    SUBCASE("to promise more memory than it has") {
      other.memory_overcommit_percent = 150;
    }
    SUBCASE("to promise more vcpus") {
      other.vcpu_overcommit_percent = 1'600;
    }
    recovery.put(other);
  }
  SUBCASE("a VM that goes") {
    auto other = lost_vm(2);
    other.actual = actual_state::gone;
    recovery.put(other);
  }
  SUBCASE("a VM that is removed") {
    recovery.remove(lost_vm(2));
  }
  SUBCASE("a migration that is over") {
    migration_record over;
    over.phase = migration_phase::done;
    recovery.put(over);
  }
  CHECK(orders(start + 20h) == 1);
}

TEST_CASE_FIXTURE(one_lost, "a storm of news doesn't become a storm of orders") {
  size_t given = 0;
  for (auto now = start; now < start + 60s; now += 10ms) {
    recovery.put(host(2, host_state::up));
    recovery.remove(lost_vm(9));
    for (const auto& order : recovery.next(now)) {
      recovery.answered(order.vm, waits(), now);
      ++given;
    }
  }
  CHECK(given > 4);
  CHECK(given < 10);
}

TEST_CASE("so many orders are on their way at once, and no more") {
  recovery_state recovery{{.most_orders = 3}};
  recovery.put(host(1, host_state::unreachable, 42));
  for (uint64_t n = 1; n <= 10; ++n)
    recovery.put(lost_vm(n));
  CHECK(recovery.next(start).size() == 3);
  CHECK(recovery.next(start).empty());
  recovery.answered(vm_number(1), waits(), start);
  CHECK(recovery.next(start).size() == 1);
  SUBCASE("one that was placed makes way") {
    auto placed = lost_vm(2, 2);
    placed.actual = actual_state::running;
    recovery.put(placed);
  }
  SUBCASE("one that left the state makes way") {
    recovery.remove(lost_vm(2));
  }
  SUBCASE("one that a new listing lacks makes way") {
    std::set<std::pair<record_type, uuid>> named{{record_type::host, host_id(1).value}};
    for (uint64_t n = 1; n <= 10; ++n)
      if (n != 2)
        named.insert({record_type::vm, vm_number(n).value});
    recovery.keep_only(named);
  }
  SUBCASE("one that was lost again, with another epoch, is ordered anew") {
    auto again = lost_vm(2, 2);
    again.epoch = {3, 8};
    recovery.put(again);
    auto orders = recovery.next(start);
    REQUIRE(orders.size() == 1);
    CHECK(orders.front().vm == vm_number(2));
    CHECK(orders.front().epoch == epoch{3, 8});
    return;
  }
  CHECK(recovery.next(start).size() == 1);
}

TEST_CASE_FIXTURE(one_lost, "an older record changes nothing") {
  auto placed = lost_vm(1, 5);
  placed.actual = actual_state::running;
  recovery.put(lost_vm(1, 6));
  recovery.put(placed);
  CHECK(recovery.waiting() == 1);
  recovery.put(host(1, host_state::up, 0, 0));
  CHECK(recovery.next(start).front().lease == 42);
}
