#include "hypervisor/console/console_watch.hpp"
#include "tests/integration/libvirt_host.hpp"
#include "tests/integration/outcomes.hpp"
#include "tests/integration/stream_pump.hpp"
#include "tests/lab/link/network_namespace.hpp"

#include <doctest/doctest.h>
#include <future>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr epoch first_epoch{1, 1};

/// Two hosts, a guest that runs on the source, and its console on both.
class two_hosts {
public:
  /// With bridges the guest has a card, in the first one at the source.
  explicit two_hosts(libvirt_mode mode = libvirt_mode::session,
                     const std::vector<std::string>& bridges = {})
      : source_host{mode}, destination_host{mode}, source{source_host.connect()},
        destination{destination_host.connect()}, console{{source_host.spec(vm).console_log,
                                                          destination_host.spec(vm).console_log}} {
    if (!bridges.empty()) {
      source_host.cards = {{"52:00:00:00:00:01", bridges.front()}};
      destination_host.cards = {{"52:00:00:00:00:01", bridges.back()}};
    }
    done(source->create(source_host.spec(vm, first_epoch)));
    done(source->resume(vm));
    REQUIRE(console.wait_for_ticks(5, 180s));
  }

  /// Steps 1 and 2.
  void prepare() {
    auto offer = value_of(source->migration_begin(vm));
    cookie = value_of(destination->migration_prepare(
        {destination_host.spec(vm, first_epoch.next()), offer, target()}));
  }

  /// Step 3, through a pump.
  result<std::string> perform(pump_options options = {}) {
    stream_pump pump{origin(), target(), std::move(options)};
    auto outcome = source->migration_perform(vm, {cookie, origin()});
    sent_bytes = pump.sent_bytes();
    returned_bytes = pump.returned_bytes();
    return outcome;
  }

  /// All five.
  void migrate() {
    prepare();
    auto performed = value_of(perform());
    auto finished = value_of(destination->migration_finish(vm, performed, false));
    done(source->migration_confirm(vm, finished));
  }

  std::filesystem::path origin() const { return source_host.stream_socket("out.sock"); }
  std::filesystem::path target() const { return destination_host.stream_socket("in.sock"); }

  bool ticks_on() { return console.wait_for_ticks(5, 20s); }
  /// Waits until the guest has verified all of its memory once more.
  bool memory_is_good() {
    auto sweeps = console.summary().sweep + 2;
    return console.wait_until([=](const tick_summary& x) { return x.sweep >= sweeps; }, 60s)
           && console.summary().memory_ok;
  }

  vm_id vm{random_uuid()};
  libvirt_host source_host;
  libvirt_host destination_host;
  std::unique_ptr<hypervisor> source;
  std::unique_ptr<hypervisor> destination;
  console_watch console;
  std::string cookie;
  uint64_t sent_bytes = 0;
  uint64_t returned_bytes = 0;
};

/// What `ip` prints, a line each; ends the test when it fails.
std::vector<std::string> ip(const std::string& arguments) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(("ip " + arguments).c_str(), "re"), ::pclose};
  REQUIRE(pipe);
  std::vector<std::string> lines;
  for (char line[512]; std::fgets(line, sizeof line, pipe.get()) != nullptr;)
    lines.emplace_back(line);
  REQUIRE(::pclose(pipe.release()) == 0);
  return lines;
}

size_t plugged_into(const std::string& bridge) {
  return ip("-o link show master " + bridge).size();
}

void migrate_there(libvirt_mode mode) {
  two_hosts hosts{mode};
  auto vm = hosts.vm;
  auto begun = std::chrono::steady_clock::now();
  hosts.prepare();
  CHECK(has_phase(*hosts.destination, vm, guest_phase::incoming));
  CHECK(has_phase(*hosts.source, vm, guest_phase::running));

  auto performed = value_of(hosts.perform());
  CHECK(hosts.sent_bytes > 20'000'000);
  CHECK(hosts.returned_bytes >= 8);
  auto left = status_of(*hosts.source, vm);
  REQUIRE(left.has_value());
  CHECK(left->phase == guest_phase::paused);
  CHECK(left->migration_source);
  auto arrived = status_of(*hosts.destination, vm);
  REQUIRE(arrived.has_value());
  CHECK(arrived->phase == guest_phase::incoming);
  CHECK(!arrived->migration_source);
  CHECK(arrived->epoch == first_epoch.next());

  auto finished = value_of(hosts.destination->migration_finish(vm, performed, false));
  CHECK(has_phase(*hosts.destination, vm, guest_phase::running));
  done(hosts.source->migration_confirm(vm, finished));
  CHECK(!status_of(*hosts.source, vm).has_value());
  CHECK(hosts.source_host.processes(vm) == 0);
  CHECK(hosts.destination_host.processes(vm) == 1);

  CHECK(hosts.ticks_on());
  auto gap = hosts.console.largest_gap(begun, std::chrono::steady_clock::now());
  MESSAGE("sent ", hosts.sent_bytes, " bytes, tick gap ", gap / 1ms, " ms");
  CHECK(gap < 1s);
  CHECK(hosts.memory_is_good());
  CHECK(hosts.console.summary().missing == 0);
  CHECK(hosts.console.summary().repeated == 0);
  CHECK(hosts.console.summary().starts == 1);
  CHECK(!std::filesystem::exists(hosts.target()));
}

} // namespace

TEST_CASE("a running guest moves between session libvirtds without a pause that one would notice") {
  migrate_there(libvirt_mode::session);
}

TEST_CASE("a running guest moves between system libvirtds without a pause that one would notice") {
  if (possible(libvirt_mode::system))
    migrate_there(libvirt_mode::system);
}

TEST_CASE("a guest's card goes with it, from the source's bridge into the destination's") {
  if (!possible(libvirt_mode::system))
    return;
  const lab::network_namespace apart{"bridges"};
  apart.inside([] { // with both libvirtds, and so their guests' cards
    for (const auto* bridge : {"source", "destination"})
      ip(std::string{"link add "} + bridge + " type bridge");
    two_hosts hosts{libvirt_mode::system, {"source", "destination"}};
    CHECK(plugged_into("source") == 1);
    CHECK(plugged_into("destination") == 0);
    hosts.migrate();
    CHECK(plugged_into("source") == 0);
    CHECK(plugged_into("destination") == 1);
    CHECK(hosts.ticks_on());
    CHECK(hosts.memory_is_good());
    done(hosts.destination->destroy(hosts.vm));
    CHECK(plugged_into("destination") == 0);
  });
}

TEST_CASE("after Perform the source stays paused, whatever dies, until it is told what to do") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  value_of(hosts.perform());

  SUBCASE("the source's agent") {
    hosts.source = hosts.source_host.connect();
  }
  SUBCASE("the source's libvirtd") {
    hosts.source_host.kill_daemon();
    hosts.source_host.start_daemon();
  }
  SUBCASE("the source's agent and libvirtd") {
    hosts.source.reset();
    hosts.source_host.kill_daemon();
    hosts.source_host.start_daemon();
    hosts.source = hosts.source_host.connect();
  }
  SUBCASE("nothing") {}
  CHECK(!hosts.console.wait_for_ticks(1, 1s));
  auto left = status_of(*hosts.source, vm);
  REQUIRE(left.has_value());
  CHECK(left->phase == guest_phase::paused);
  CHECK(left->migration_source);
  CHECK(has_phase(*hosts.destination, vm, guest_phase::incoming));

  // The log said abort.
  value_of(hosts.destination->migration_finish(vm, "", true));
  CHECK(hosts.destination_host.processes(vm) == 0);
  done(hosts.source->resume(vm));
  CHECK(hosts.ticks_on());
  CHECK(hosts.memory_is_good());

  // And it can be moved afterwards.
  hosts.migrate();
  CHECK(hosts.ticks_on());
  CHECK(hosts.source_host.processes(vm) == 0);
  CHECK(hosts.destination_host.processes(vm) == 1);
  CHECK(hosts.console.summary().repeated == 0);
  CHECK(hosts.console.summary().missing == 0);
  CHECK(hosts.console.summary().malformed == 0);
}

TEST_CASE("an incoming guest that was not finished dies with its agent or its libvirtd") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  value_of(hosts.perform());
  SUBCASE("the agent") {
    hosts.destination.reset();
    hosts.destination = hosts.destination_host.connect();
  }
  SUBCASE("libvirtd, which finds it when it comes back") {
    hosts.destination_host.kill_daemon();
    hosts.destination_host.start_daemon();
  }
  CHECK(becomes_true(10s, [&] { return hosts.destination_host.processes(vm) == 0; }));
  CHECK(becomes_true(10s, [&] { return !status_of(*hosts.destination, vm).has_value(); }));
  done(hosts.destination->migration_finish(vm, "", true));
  CHECK(code_of(hosts.destination->migration_finish(vm, "", false))
        == hypervisor_errc::no_such_guest);
  done(hosts.source->resume(vm));
  CHECK(hosts.ticks_on());
  CHECK(hosts.memory_is_good());
}

TEST_CASE("a finished destination runs on, and the source is removed by whoever restarts there") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  auto performed = value_of(hosts.perform());
  value_of(hosts.destination->migration_finish(vm, performed, false));
  SUBCASE("both agents die") {
    hosts.destination = hosts.destination_host.connect();
    hosts.source = hosts.source_host.connect();
  }
  SUBCASE("both libvirtds die") {
    hosts.destination_host.kill_daemon();
    hosts.source_host.kill_daemon();
    hosts.destination_host.start_daemon();
    hosts.source_host.start_daemon();
  }
  CHECK(has_phase(*hosts.destination, vm, guest_phase::running));
  CHECK(hosts.ticks_on());
  // Repeats of what may have been lost.
  done(hosts.destination->migration_finish(vm, performed, false));
  CHECK(code_of(hosts.destination->migration_finish(vm, "", true)) == hypervisor_errc::refused);
  CHECK(code_of(hosts.destination->migration_confirm(vm, "")) == hypervisor_errc::refused);
  done(hosts.source->migration_confirm(vm, ""));
  done(hosts.source->migration_confirm(vm, ""));
  CHECK(hosts.source_host.processes(vm) == 0);
  CHECK(hosts.destination_host.processes(vm) == 1);
  CHECK(hosts.memory_is_good());
}

TEST_CASE("a migration that is aborted ends soon, and the guest runs on at the source") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  auto performing = std::async(std::launch::async,
                               [&] { return hosts.perform({.bytes_per_second = 4u << 20}); });
  CHECK(becomes_true(20s, [&] {
    return value_of(hosts.source->migration_statistics(vm)).memory_processed_bytes > 1'000'000;
  }));
  auto job = value_of(hosts.source->migration_statistics(vm));
  CHECK(job.iteration >= 1);
  CHECK(job.memory_total_bytes >= 128u << 20);
  CHECK(job.memory_remaining_bytes > 0);
  done(hosts.source->set_max_downtime(vm, 50ms));
  CHECK(has_phase(*hosts.source, vm, guest_phase::running));
  CHECK(!status_of(*hosts.source, vm)->migration_source);
  CHECK(code_of(hosts.destination->resume(vm)) == hypervisor_errc::refused);

  done(hosts.source->migration_abort(vm));
  REQUIRE(performing.wait_for(10s) == std::future_status::ready);
  CHECK(code_of(performing.get()) == hypervisor_errc::aborted);
  CHECK(has_phase(*hosts.source, vm, guest_phase::running));
  value_of(hosts.destination->migration_finish(vm, "", true));
  CHECK(hosts.destination_host.processes(vm) == 0);
  CHECK(!std::filesystem::exists(hosts.target()));
  CHECK(value_of(hosts.source->migration_statistics(vm)).memory_total_bytes == 0);
  hosts.migrate();
  CHECK(hosts.ticks_on());
  CHECK(hosts.memory_is_good());
}

TEST_CASE("a stream that breaks leaves the guest running at the source") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  SUBCASE("at its first byte") {
    CHECK(code_of(hosts.perform({.cut_after = 1})) == hypervisor_errc::aborted);
  }
  SUBCASE("in the middle of the memory") {
    CHECK(code_of(hosts.perform({.cut_after = 20'000'000})) == hypervisor_errc::aborted);
  }
  SUBCASE("because nobody listens") {
    CHECK(code_of(hosts.source->migration_perform(vm, {hosts.cookie, hosts.origin()}))
          == hypervisor_errc::aborted);
  }
  SUBCASE("because the destination's QEMU is killed") {
    auto performing = std::async(std::launch::async,
                                 [&] { return hosts.perform({.bytes_per_second = 8u << 20}); });
    CHECK(becomes_true(20s, [&] {
      return value_of(hosts.source->migration_statistics(vm)).memory_processed_bytes > 1'000'000;
    }));
    hosts.destination_host.kill_guest(vm);
    CHECK(code_of(performing.get()) == hypervisor_errc::aborted);
  }
  CHECK(has_phase(*hosts.source, vm, guest_phase::running));
  CHECK(!status_of(*hosts.source, vm)->migration_source);
  CHECK(hosts.ticks_on());
  value_of(hosts.destination->migration_finish(vm, "", true));
  CHECK(hosts.destination_host.processes(vm) == 0);
  CHECK(!std::filesystem::exists(hosts.target()));
  hosts.migrate();
  CHECK(hosts.ticks_on());
  CHECK(hosts.memory_is_good());
  CHECK(hosts.console.summary().repeated == 0);
}

TEST_CASE("a source libvirtd that dies during Perform calls the migration off when it is back") {
  two_hosts hosts;
  auto vm = hosts.vm;
  hosts.prepare();
  auto performing = std::async(std::launch::async,
                               [&] { return hosts.perform({.bytes_per_second = 8u << 20}); });
  CHECK(becomes_true(20s, [&] {
    return value_of(hosts.source->migration_statistics(vm)).memory_processed_bytes > 1'000'000;
  }));
  hosts.source_host.kill_daemon();
  CHECK(code_of(performing.get()) == hypervisor_errc::outcome_unknown);
  hosts.source_host.start_daemon();
  CHECK(becomes_true(10s, [&] { return has_phase(*hosts.source, vm, guest_phase::running); }));
  CHECK(hosts.ticks_on());
  value_of(hosts.destination->migration_finish(vm, "", true));
  CHECK(hosts.destination_host.processes(vm) == 0);
  hosts.migrate();
  CHECK(hosts.ticks_on());
  CHECK(hosts.memory_is_good());
}

TEST_CASE("a destination refuses what is there already, and what it cannot listen on") {
  two_hosts hosts;
  auto vm = hosts.vm;
  auto offer = value_of(hosts.source->migration_begin(vm));
  prepare_request request{hosts.destination_host.spec(vm, first_epoch.next()), offer,
                          hosts.target()};
  auto too_long = request;
  too_long.stream_socket = hosts.destination_host.stream_socket(std::string(120, 'x'));
  CHECK(code_of(hosts.destination->migration_prepare(too_long)) == hypervisor_errc::refused);
  auto missing = request;
  missing.spec.kernel = "/nowhere/vmlinuz";
  CHECK(!hosts.destination->migration_prepare(missing).has_value());
  CHECK(hosts.destination_host.processes(vm) == 0);
  value_of(hosts.destination->migration_prepare(request));
  CHECK(code_of(hosts.destination->migration_prepare(request)) == hypervisor_errc::already_there);
  CHECK(code_of(hosts.source->migration_prepare(request)) == hypervisor_errc::already_there);
  value_of(hosts.destination->migration_finish(vm, "", true));
  CHECK(!std::filesystem::exists(hosts.target()));
  CHECK(hosts.ticks_on());
}
