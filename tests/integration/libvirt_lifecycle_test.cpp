#include "hypervisor/console/console_watch.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/libvirt/accelerator.hpp"
#include "hypervisor/libvirt/link.hpp"
#include "tests/integration/libvirt_host.hpp"
#include "tests/integration/outcomes.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <mutex>
#include <set>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// What a driver told its listener. Filled from the driver's thread.
class told {
public:
  void operator()(const guest_event& event) {
    std::lock_guard guard{mutex_};
    guests_.insert(event.vm);
    if (event.powered_off)
      powered_off_.insert(event.vm);
  }
  /// That the guest switched itself off has been told.
  bool powered_off(vm_id vm) {
    std::lock_guard guard{mutex_};
    return powered_off_.count(vm) != 0;
  }
  bool take(vm_id vm) {
    std::lock_guard guard{mutex_};
    return guests_.erase(vm) != 0;
  }

private:
  std::mutex mutex_;
  std::set<vm_id> guests_;
  std::set<vm_id> powered_off_;
};

void live_and_die(libvirt_mode mode) {
  libvirt_host host{mode};
  auto driver = host.connect();
  MESSAGE(driver->description());
  CHECK(driver->description().find("qemu") != std::string::npos);
  CHECK(driver->live_migration_problem().empty());
  auto capacity = value_of(driver->capacity());
  CHECK(capacity.vcpus > 0);
  CHECK(capacity.memory_mib > 0);

  told events;
  driver->subscribe(std::ref(events));
  vm_id vm{random_uuid()};
  auto spec = host.spec(vm, {3, 7});
  console_watch console{{spec.console_log}};

  done(driver->create(spec));
  CHECK(becomes_true(5s, [&] { return events.take(vm); }));
  auto created = status_of(*driver, vm);
  REQUIRE(created.has_value());
  CHECK(created->phase == guest_phase::paused);
  CHECK(!created->migration_source);
  CHECK((created->epoch == epoch{3, 7}));
  CHECK(host.processes(vm) == 1);
  CHECK(console.summary().ticks == 0);

  CHECK(code_of(driver->create(host.spec(vm, {3, 8}))) == hypervisor_errc::already_there);

  done(driver->resume(vm));
  done(driver->resume(vm));
  CHECK(has_phase(*driver, vm, guest_phase::running));
  CHECK(console.wait_for_ticks(10, 180s));
  CHECK(becomes_true(5s, [&] { return events.take(vm); }));

  done(driver->pause(vm));
  done(driver->pause(vm));
  CHECK(has_phase(*driver, vm, guest_phase::paused));
  CHECK(!console.wait_for_ticks(3, 1s));
  done(driver->resume(vm));
  CHECK(console.wait_for_ticks(5, 10s));
  CHECK(console.summary().largest_gap >= 1s);
  CHECK(console.summary().missing == 0);
  CHECK(console.summary().memory_ok);

  auto statistics = value_of(driver->statistics(vm));
  CHECK(statistics.memory_mib == 128);
  CHECK(statistics.cpu_time > 0ns);

  done(driver->adopt(vm, {3, 9}));
  CHECK((status_of(*driver, vm)->epoch == epoch{3, 9}));
  CHECK(has_phase(*driver, vm, guest_phase::running));

  done(driver->destroy(vm));
  CHECK(!status_of(*driver, vm).has_value());
  CHECK(host.processes(vm) == 0);
  CHECK(becomes_true(5s, [&] { return events.take(vm); }));
  for (const auto& outcome : {driver->destroy(vm), driver->resume(vm), driver->pause(vm)})
    CHECK(code_of(outcome) == hypervisor_errc::no_such_guest);
}

} // namespace

TEST_CASE("a guest is created paused, runs, pauses and is destroyed under a session libvirtd") {
  live_and_die(libvirt_mode::session);
}

TEST_CASE("a guest is created paused, runs, pauses and is destroyed under a system libvirtd") {
  if (possible(libvirt_mode::system))
    live_and_die(libvirt_mode::system);
}

TEST_CASE("a guest that is asked to shut down ends by itself, and that it did so is told") {
  libvirt_host host{libvirt_mode::session};
  auto driver = host.connect();
  told events;
  driver->subscribe(std::ref(events));
  vm_id vm{random_uuid()};
  auto spec = host.spec(vm);
  console_watch console{{spec.console_log}};
  done(driver->create(spec));
  done(driver->resume(vm));
  REQUIRE(console.wait_for_ticks(2, 180s));
  CHECK(!events.powered_off(vm));
  done(driver->shutdown(vm));
  CHECK(becomes_true(20s, [&] { return !status_of(*driver, vm); }));
  CHECK(becomes_true(5s, [&] { return events.powered_off(vm); }));
  CHECK(host.processes(vm) == 0);
}

TEST_CASE("a driver finds its guests again after libvirtd was killed and restarted") {
  libvirt_host host{libvirt_mode::session};
  auto driver = host.connect();
  told events;
  vm_id vm{random_uuid()};
  auto spec = host.spec(vm, {1, 5});
  console_watch console{{spec.console_log}};
  done(driver->create(spec));
  done(driver->resume(vm));
  REQUIRE(console.wait_for_ticks(2, 180s));
  driver->subscribe(std::ref(events));

  host.kill_daemon();
  CHECK(code_of(driver->list()) == hypervisor_errc::unreachable);
  CHECK(console.wait_for_ticks(3, 10s));

  host.start_daemon();
  CHECK(becomes_true(10s, [&] { return events.take(vm_id{}); }));
  auto found = status_of(*driver, vm);
  REQUIRE(found.has_value());
  CHECK(found->phase == guest_phase::running);
  CHECK((found->epoch == epoch{1, 5}));
  CHECK(console.wait_for_ticks(3, 10s));
  CHECK(console.summary().missing == 0);

  SUBCASE("by the same driver") {
    done(driver->destroy(vm));
  }
  SUBCASE("by the driver of a restarted agent") {
    driver = host.connect();
    CHECK(has_phase(*driver, vm, guest_phase::running));
    done(driver->destroy(vm));
  }
  CHECK(host.processes(vm) == 0);
}

TEST_CASE("domains that aren't ours are neither listed nor touched") {
  libvirt_host host{libvirt_mode::session};
  auto ours = host.connect();
  vm_id vm{random_uuid()};
  done(ours->create(host.spec(vm)));

  auto stranger = host.connect_as(node_id{random_uuid()});
  CHECK(!status_of(*stranger, vm).has_value());
  CHECK(code_of(stranger->destroy(vm)) == hypervisor_errc::no_such_guest);
  CHECK(code_of(stranger->create(host.spec(vm))) == hypervisor_errc::already_there);
  CHECK(host.processes(vm) == 1);
  done(ours->destroy(vm));
}

TEST_CASE("a guest whose QEMU dies is gone, and its end is told") {
  libvirt_host host{libvirt_mode::session};
  auto driver = host.connect();
  told events;
  vm_id vm{random_uuid()};
  done(driver->create(host.spec(vm)));
  driver->subscribe(std::ref(events));
  events.take(vm);
  host.kill_guest(vm);
  CHECK(becomes_true(10s, [&] { return !status_of(*driver, vm); }));
  CHECK(becomes_true(5s, [&] { return events.take(vm); }));
  done(driver->create(host.spec(vm)));
  done(driver->destroy(vm));
  CHECK(becomes_true(5s, [&] { return events.take(vm); }));
  CHECK(!events.powered_off(vm));
}

TEST_CASE("an accelerator is believed only once a guest has run on it") {
  libvirt_host host{libvirt_mode::session};
  auto driver = host.connect();
  libvirt_link link{libvirt_uri(host.config())};
  auto connection = value_of(link.get());
  auto tcg = value_of(choose_machine(connection.get(), false));
  CHECK(!tcg.kvm);
  CHECK(guest_runs(connection.get(), tcg));
  CHECK(!guest_runs(connection.get(), {false, "pc-q35-0.1"}));
  // Whether there is a KVM here or not: the driver says what runs.
  CHECK(driver->accelerator()
        == (guest_runs(connection.get(), {true, tcg.machine}) ? "kvm" : "tcg"));
}
