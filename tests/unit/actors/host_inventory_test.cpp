#include "hypervisor/simulated/simulated_hypervisor.hpp"
#include "tests/unit/actors/small_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A cluster in which one host may have something left from an earlier life.
struct returning_host : small_cluster {
  void leave(vm_id vm, epoch of) {
    auto driver = make_simulated_hypervisor({first.machine});
    guest_spec left;
    left.vm = vm;
    left.epoch = of;
    REQUIRE(driver->create(left).has_value());
    REQUIRE(driver->resume(vm).has_value());
  }

  vm_id define_on_first() {
    create_vm wish;
    wish.vm = {random_uuid()};
    wish.name = "vm-" + to_string(wish.vm);
    wish.spec.image = "tick";
    wish.host = first.id;
    wish.operation = {random_uuid()};
    insist(wish);
    return wish.vm;
  }
};

} // namespace

TEST_CASE_FIXTURE(returning_host,
                  "what is left of a VM that is elsewhere ends before anything starts") {
  auto moved = run_guest(second);
  auto waiting = define_on_first();
  end_agent(first);
  leave(moved, find<vm_record>(moved)->epoch);
  first.calls->hold("destroy");
  request(waiting, requested_state::running);
  start_agent(first);
  REQUIRE(becomes([&] { return first.calls->holds("destroy"); }));
  CHECK_FALSE(becomes_true(1s, [&] { return first.guest(waiting).has_value(); }));
  first.calls->release();
  CHECK(becomes([&] { return !first.guest(moved); }));
  CHECK(becomes([&] { return first.runs(waiting); }));
  CHECK(second.runs(moved));
}

TEST_CASE_FIXTURE(returning_host,
                  "a guest of an older epoch ends before its VM's next one starts") {
  auto vm = run_guest(first);
  auto waiting = define_on_first();
  end_agent(first);
  request(vm, requested_state::stopped);
  request(vm, requested_state::running); // the next epoch; the guest is of the last one
  first.calls->hold("destroy");
  request(waiting, requested_state::running);
  start_agent(first);
  REQUIRE(becomes([&] { return first.calls->holds("destroy"); }));
  CHECK_FALSE(becomes_true(1s, [&] { return first.guest(waiting).has_value(); }));
  first.calls->release();
  CHECK(becomes([&] { return first.runs(waiting); }));
  CHECK(becomes([&] {
    auto guest = first.guest(vm);
    return guest && guest->epoch == find<vm_record>(vm)->epoch && first.runs(vm);
  }));
}

TEST_CASE_FIXTURE(returning_host,
                  "a guest that no VM accounts for is left alone, and keeps nobody waiting") {
  const vm_id stranger{random_uuid()};
  auto waiting = define_on_first();
  end_agent(first);
  leave(stranger, {0, 1});
  request(waiting, requested_state::running);
  start_agent(first);
  CHECK(becomes([&] { return first.runs(waiting); }));
  CHECK(first.runs(stranger));
}

TEST_CASE_FIXTURE(returning_host,
                  "past the fencer's deadline no guest is made, whoever was told that it may") {
  auto vm = define_on_first();
  REQUIRE(becomes([&] { return first.context->guarded_until.load() > 0ns; }));
  *first.fencer_hangs = true;
  REQUIRE(becomes([&] { return *first.refused_deadlines > 0; }));
  first.context->guarded_until = 0ns; // as if the agent had slept
  request(vm, requested_state::running);
  CHECK_FALSE(becomes_true(1s, [&] { return first.guest(vm).has_value(); }));
  *first.fencer_hangs = false;
  CHECK(becomes([&] { return first.runs(vm); }));
}

TEST_CASE_FIXTURE(returning_host,
                  "after a recovery nothing is placed until what is elsewhere by the log is gone") {
  auto moved = run_guest(second);
  end_agent(first);
  leave(moved, find<vm_record>(moved)->epoch);
  first.calls->hold("destroy");
  insist(recover_cluster{});
  start_agent(first);
  REQUIRE(becomes([&] { return first.calls->holds("destroy"); }));
  const auto awaited = [&](const auto& host) { return find<host_record>(host.id)->awaited; };
  CHECK(becomes([&] { return !awaited(second); })); // which has nothing to end
  CHECK_FALSE(becomes_true(1s, [&] { return !awaited(first); }));
  first.calls->release();
  CHECK(becomes([&] { return !awaited(first); }));
  CHECK_FALSE(first.guest(moved));
  CHECK(second.runs(moved));
}
