#include "tests/unit/actors/small_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// An ha VM runs on the second host.
struct ha_guest : small_cluster {
  vm_id vm = run_guest(second, restart_policy::on_failure);

  /// The second host's agent ends for good, and its lease is over. Its number.
  void lose_second() {
    end_agent(second);
    second.machine->set_deadline(0ns); // what its fencer does at the deadline
    CHECK(becomes([&] { return !second.guest(vm); }));
    const auto& self = second.context->self;
    auto renewed = insist(renew_lease{self.id, self.boot, 10s});
    insist(expire_lease{self.id, renewed.lease.renewal});
  }

  bool runs_on_first() {
    return becomes([&] {
      auto record = find<vm_record>(vm);
      return record && record->actual == actual_state::running && record->host == first.id
             && first.runs(vm);
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(ha_guest, "a lost host's ha guest runs elsewhere, under a new epoch") {
  auto before = find<vm_record>(vm)->epoch;
  lose_second();
  CHECK(runs_on_first());
  CHECK(find<vm_record>(vm)->epoch > before);
}

TEST_CASE_FIXTURE(ha_guest, "a recovery that is killed just then is there again, and goes on") {
  std::thread killer{[this] { kill("services/recovery"); }};
  lose_second();
  killer.join();
  CHECK(runs_on_first());
  CHECK(restarts("services/frontend") == 0);
}

TEST_CASE_FIXTURE(ha_guest, "a recovery that was killed while a VM waited for room finds it") {
  create_vm large;
  large.vm = {random_uuid()};
  large.name = "large";
  large.spec.image = "tick";
  large.spec.memory_mib = first.context->self.memory_mib;
  large.host = first.id;
  large.operation = {random_uuid()};
  insist(large);
  lose_second();
  REQUIRE(becomes([&] {
    auto record = find<vm_record>(vm);
    return record && record->actual == actual_state::lost
           && record->reason.find("on another host: ") != std::string::npos;
  }));
  kill("services/recovery");
  request(large.vm, requested_state::deleted); // which makes room
  CHECK(runs_on_first());
}
