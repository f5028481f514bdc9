#include "hypervisor/console/tick_series.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/pending_changes.hpp"
#include "hypervisor/simulated/simulated_hypervisor.hpp"

#include <condition_variable>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <set>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

template <class T>
std::error_code code_of(const result<T>& outcome) {
  return outcome ? std::error_code{} : outcome.error().code;
}

const std::error_code fine{};

guest_spec spec_of(vm_id vm, epoch number = {1, 1}) {
  guest_spec spec;
  spec.vm = vm;
  spec.epoch = number;
  return spec;
}

/// Time that passes when told to.
struct stepped_clock {
  std::chrono::steady_clock::time_point now{1h};
};

class two_hosts {
public:
  explicit two_hosts(simulated_host_config config = {})
      : source_host{std::make_shared<simulated_host>(config)},
        destination_host{std::make_shared<simulated_host>(config)},
        source{make_simulated_hypervisor({source_host})}, destination{make_simulated_hypervisor(
                                                              {destination_host})} {
    REQUIRE(::mkdtemp(folder) != nullptr);
    REQUIRE(source->create(spec_of(vm)).has_value());
    REQUIRE(source->resume(vm).has_value());
  }
  ~two_hosts() { std::filesystem::remove_all(folder); }

  void prepare() {
    auto offer = source->migration_begin(vm);
    REQUIRE(offer.has_value());
    REQUIRE(destination->migration_prepare({spec_of(vm, {1, 2}), *offer, socket()}).has_value());
  }
  std::filesystem::path socket() const { return std::filesystem::path{folder} / "stream"; }

  static guest_phase phase(simulated_host& host, vm_id vm) {
    for (const auto& x : host.guests())
      if (x.vm == vm)
        return x.phase;
    return guest_phase::crashed;
  }

  char folder[32] = "/tmp/nova-simulated-XXXXXX";
  vm_id vm{{11, 12}};
  std::shared_ptr<simulated_host> source_host;
  std::shared_ptr<simulated_host> destination_host;
  std::unique_ptr<hypervisor> source;
  std::unique_ptr<hypervisor> destination;
};

} // namespace

TEST_CASE("a simulated guest lives as a real one does, and outlives its agent") {
  auto host = std::make_shared<simulated_host>();
  auto driver = make_simulated_hypervisor({host});
  vm_id vm{{1, 2}};
  CHECK(code_of(driver->resume(vm)) == hypervisor_errc::no_such_guest);
  CHECK(code_of(driver->create(spec_of(vm))) == fine);
  CHECK(code_of(driver->create(spec_of(vm, {9, 9}))) == hypervisor_errc::already_there);
  CHECK(host->guests().at(0).phase == guest_phase::paused);
  CHECK(code_of(driver->resume(vm)) == fine);
  driver = make_simulated_hypervisor({host});
  auto guests = driver->list();
  REQUIRE(guests.has_value());
  REQUIRE(guests->size() == 1);
  CHECK(guests->at(0).phase == guest_phase::running);
  CHECK((guests->at(0).epoch == epoch{1, 1}));
  CHECK(code_of(driver->adopt(vm, {1, 5})) == fine);
  CHECK((host->guests().at(0).epoch == epoch{1, 5}));
  CHECK(code_of(driver->destroy(vm)) == fine);
  CHECK(host->guests().empty());
}

TEST_CASE("a simulated guest's memory changes while it runs, and only then") {
  auto time = std::make_shared<stepped_clock>();
  simulated_host_config config;
  config.clock = [time] { return time->now; };
  auto host = std::make_shared<simulated_host>(config);
  auto driver = make_simulated_hypervisor({host});
  vm_id vm{{1, 2}};
  REQUIRE(driver->create(spec_of(vm)).has_value());
  auto before = host->memory_digest(vm);
  time->now += 10s;
  CHECK(host->memory_digest(vm) == before);
  REQUIRE(driver->resume(vm).has_value());
  time->now += 1s;
  auto after = host->memory_digest(vm);
  CHECK(after != before);
  REQUIRE(driver->pause(vm).has_value());
  time->now += 10s;
  CHECK(host->memory_digest(vm) == after);
}

TEST_CASE("a simulated guest that was held still goes on from the present, and misses no tick") {
  auto time = std::make_shared<stepped_clock>();
  simulated_host_config config;
  config.clock = [time] { return time->now; };
  auto host = std::make_shared<simulated_host>(config);
  auto driver = make_simulated_hypervisor({host});
  char folder[] = "/tmp/nova-simulated-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  auto spec = spec_of({{1, 2}});
  spec.console_log = std::filesystem::path{folder} / "console" / "log";
  REQUIRE(driver->create(spec).has_value());
  REQUIRE(driver->resume(spec.vm).has_value());
  tick_series ticks;
  const auto pass = [&](std::chrono::milliseconds span) {
    time->now += span;
    host->let_guests_run();
    std::ifstream console{spec.console_log};
    ticks = {};
    for (std::string line; std::getline(console, line);)
      ticks.add_line(line, time->now);
    return ticks.summary().latest;
  };
  CHECK(pass(99ms) == 0);
  CHECK(pass(1ms) == 1);
  CHECK(pass(150ms) == 2);
  CHECK(pass(50ms) == 3);
  CHECK(pass(3s) == 4);
  CHECK(pass(0ms) == 4);
  CHECK(pass(100ms) == 5);
  REQUIRE(driver->pause(spec.vm).has_value());
  CHECK(pass(1s) == 5);
  CHECK(ticks.summary().missing == 0);
  CHECK(ticks.summary().memory_ok);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a simulated guest migrates step by step, with its memory") {
  two_hosts hosts;
  hosts.prepare();
  CHECK(two_hosts::phase(*hosts.destination_host, hosts.vm) == guest_phase::incoming);
  CHECK(code_of(hosts.destination->resume(hosts.vm)) == hypervisor_errc::refused);
  CHECK(code_of(hosts.source->migration_perform(hosts.vm, {"", hosts.socket()})) == fine);
  auto left = hosts.source_host->guests().at(0);
  CHECK(left.phase == guest_phase::paused);
  CHECK(left.migration_source);
  CHECK(hosts.source_host->memory_digest(hosts.vm)
        == hosts.destination_host->memory_digest(hosts.vm));
  CHECK(code_of(hosts.destination->migration_finish(hosts.vm, "", false)) == fine);
  CHECK(code_of(hosts.source->migration_confirm(hosts.vm, "")) == fine);
  CHECK(code_of(hosts.source->migration_confirm(hosts.vm, "")) == fine);
  CHECK(hosts.source_host->guests().empty());
  auto arrived = hosts.destination_host->guests().at(0);
  CHECK(arrived.phase == guest_phase::running);
  CHECK((arrived.epoch == epoch{1, 2}));
  CHECK(code_of(hosts.destination->migration_finish(hosts.vm, "", true))
        == hypervisor_errc::refused);
  CHECK(code_of(hosts.destination->migration_confirm(hosts.vm, "")) == hypervisor_errc::refused);
}

TEST_CASE("a simulated destination that was not finished dies with its agent or its daemon") {
  two_hosts hosts;
  hosts.prepare();
  REQUIRE(hosts.source->migration_perform(hosts.vm, {"", hosts.socket()}).has_value());
  SUBCASE("agent") {
    hosts.destination.reset();
  }
  SUBCASE("daemon") {
    hosts.destination_host->stop_daemon();
  }
  CHECK(hosts.destination_host->guests().empty());
  CHECK(hosts.source_host->guests().at(0).migration_source);
  CHECK(code_of(hosts.source->resume(hosts.vm)) == fine);
  CHECK(hosts.source_host->guests().at(0).phase == guest_phase::running);
  CHECK(!hosts.source_host->guests().at(0).migration_source);
}

TEST_CASE("a simulated transfer that is broken off leaves the guest running at the source") {
  two_hosts hosts;
  hosts.prepare();
  SUBCASE("because the destination is cancelled") {
    REQUIRE(hosts.destination->migration_finish(hosts.vm, "", true).has_value());
  }
  SUBCASE("because it was aborted") {
    // Nobody reads from this socket: the transfer waits until it is aborted.
    auto listener = stream_socket::listen(hosts.socket());
    REQUIRE(listener.has_value());
    auto performing = std::async(std::launch::async, [&] {
      return hosts.source->migration_perform(hosts.vm, {"", hosts.socket()});
    });
    auto deadline = std::chrono::steady_clock::now() + 10s;
    while (hosts.source->migration_statistics(hosts.vm)->memory_processed_bytes == 0
           && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    CHECK(code_of(hosts.source->migration_abort(hosts.vm)) == fine);
    CHECK(performing.wait_for(5s) == std::future_status::ready);
    CHECK(code_of(performing.get()) == hypervisor_errc::aborted);
  }
  CHECK(code_of(hosts.source->migration_perform(hosts.vm, {"", "/nowhere/stream"}))
        == hypervisor_errc::aborted);
  CHECK(hosts.source_host->guests().at(0).phase == guest_phase::running);
  CHECK(!hosts.source_host->guests().at(0).migration_source);
}

TEST_CASE("a simulated source runs on when the destination could not load what it sent") {
  // Little enough for the sockets' buffers: the source has stopped its guest before it hears.
  simulated_host_config config;
  config.pages_per_guest = 16;
  two_hosts hosts{config};
  config.pages_per_guest = 8;
  hosts.destination_host = std::make_shared<simulated_host>(config);
  hosts.destination = make_simulated_hypervisor({hosts.destination_host});
  hosts.prepare();
  CHECK(code_of(hosts.source->migration_perform(hosts.vm, {"", hosts.socket()}))
        == hypervisor_errc::aborted);
  CHECK(hosts.source_host->guests().at(0).phase == guest_phase::running);
  CHECK(code_of(hosts.destination->migration_finish(hosts.vm, "", false))
        == hypervisor_errc::refused);
  CHECK(hosts.destination_host->guests().empty());
}

TEST_CASE("a call may have its effect and lose its answer, or have its effect later") {
  auto time = std::make_shared<stepped_clock>();
  simulated_host_config config;
  auto fault = std::make_shared<simulated_fault>(simulated_fault::none);
  config.clock = [time] { return time->now; };
  config.faults
      = [fault](std::string_view, vm_id) { return std::exchange(*fault, simulated_fault::none); };
  auto host = std::make_shared<simulated_host>(config);
  auto driver = make_simulated_hypervisor({host});
  vm_id vm{{1, 2}};
  *fault = simulated_fault::refuse;
  CHECK(code_of(driver->create(spec_of(vm))) == hypervisor_errc::refused);
  *fault = simulated_fault::unreachable;
  CHECK(code_of(driver->create(spec_of(vm))) == hypervisor_errc::unreachable);
  CHECK(host->guests().empty());
  *fault = simulated_fault::lose_answer;
  CHECK(code_of(driver->create(spec_of(vm))) == hypervisor_errc::outcome_unknown);
  CHECK(host->guests().size() == 1);
  CHECK(code_of(driver->destroy(vm)) == fine);
  *fault = simulated_fault::act_late;
  CHECK(code_of(driver->create(spec_of(vm))) == hypervisor_errc::outcome_unknown);
  CHECK(host->guests().empty());
  time->now += config.late_by;
  CHECK(host->guests().size() == 1);
}

TEST_CASE("the same seed draws the same faults, at about the rates asked for") {
  auto first = random_faults(42, {.refuse = 0.1, .lose_answer = 0.2});
  auto second = random_faults(42, {.refuse = 0.1, .lose_answer = 0.2});
  int refused = 0;
  int lost = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto drawn = first("create", {});
    CHECK(drawn == second("create", {}));
    refused += drawn == simulated_fault::refuse;
    lost += drawn == simulated_fault::lose_answer;
  }
  CHECK(refused > 800);
  CHECK(refused < 1'200);
  CHECK(lost > 1'700);
  CHECK(lost < 2'300);
}

TEST_CASE("a simulated host tells its drivers what happens, and a restart as a change of all") {
  auto host = std::make_shared<simulated_host>();
  auto driver = make_simulated_hypervisor({host});
  std::mutex mutex;
  std::condition_variable wake;
  std::set<vm_id> told;
  driver->subscribe([&](const guest_event& event) {
    std::lock_guard guard{mutex};
    told.insert(event.vm);
    wake.notify_all();
  });
  auto is_told = [&](vm_id vm) {
    std::unique_lock guard{mutex};
    return wake.wait_for(guard, 5s, [&] { return told.erase(vm) != 0; });
  };
  vm_id vm{{1, 2}};
  REQUIRE(driver->create(spec_of(vm)).has_value());
  CHECK(is_told(vm));
  host->kill_guest(vm);
  CHECK(is_told(vm));
  host->stop_daemon();
  CHECK(code_of(driver->list()) == hypervisor_errc::unreachable);
  host->start_daemon();
  CHECK(is_told(vm_id{}));
  CHECK(code_of(driver->list()) == fine);
}

TEST_CASE("that a guest switched itself off isn't hidden by what happens to it next") {
  pending_changes pending;
  const vm_id vm{{1, 2}};
  pending.add(vm, true);
  pending.add(vm);
  CHECK(pending.wait(0ms).guests.at(vm));
  pending.add(vm);
  CHECK(!pending.wait(0ms).guests.at(vm));
}

TEST_CASE("a guest that switches itself off is told apart from one that dies") {
  auto host = std::make_shared<simulated_host>();
  auto driver = make_simulated_hypervisor({host});
  std::mutex mutex;
  std::condition_variable wake;
  std::map<vm_id, bool> powered_off; // of those that are gone
  std::set<vm_id> made;
  driver->subscribe([&](const guest_event& event) {
    std::lock_guard guard{mutex};
    if (!made.insert(event.vm).second)
      powered_off[event.vm] |= event.powered_off;
    wake.notify_all();
  });
  const vm_id dies{{1, 2}};
  const vm_id stops{{1, 3}};
  auto wait = [&](auto holds) {
    std::unique_lock guard{mutex};
    return wake.wait_for(guard, 5s, holds);
  };
  for (auto vm : {dies, stops})
    REQUIRE(driver->create(spec_of(vm)).has_value());
  REQUIRE(wait([&] { return made.size() == 2; }));
  host->kill_guest(dies);
  host->power_off(stops);
  REQUIRE(wait([&] { return powered_off.size() == 2; }));
  CHECK(!powered_off[dies]);
  CHECK(powered_off[stops]);
  CHECK(driver->list()->empty());
}
