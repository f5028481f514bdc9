#include "hypervisor/errors.hpp"
#include "hypervisor/simulated/machine_server.hpp"
#include "hypervisor/simulated/simulated_hypervisor.hpp"
#include "tests/becomes_true.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const vm_id guarded{{1, 1}};
const vm_id plain{{1, 2}};

guest_spec spec_of(vm_id vm, bool ha) {
  guest_spec spec;
  spec.vm = vm;
  spec.epoch = {1, 1};
  spec.ha = ha;
  spec.memory_mib = 4;
  return spec;
}

/// A host with two guests, whose boot clock goes on when told to.
struct fenced_host {
  std::chrono::nanoseconds now{100s};
  std::shared_ptr<simulated_host> host;
  std::unique_ptr<hypervisor> driver;

  fenced_host() {
    simulated_host_config config;
    config.boot_clock = [this] { return now; };
    host = std::make_shared<simulated_host>(config);
    driver = make_simulated_hypervisor({host});
    start(guarded, true);
    start(plain, false);
  }

  void start(vm_id vm, bool ha) {
    REQUIRE(driver->create(spec_of(vm, ha)).has_value());
    static_cast<void>(driver->resume(vm));
  }

  std::vector<vm_id> left() {
    std::vector<vm_id> vms;
    for (const auto& x : host->guests())
      vms.push_back(x.vm);
    return vms;
  }
};

/// A machine in this process, with its folder.
struct machine_with_folder {
  char name[32] = "/tmp/nova-fenced-XXXXXX";
  std::shared_ptr<simulated_host> host;
  std::unique_ptr<machine_server> server;

  machine_with_folder() {
    REQUIRE(::mkdtemp(name) != nullptr);
    power_on();
  }
  ~machine_with_folder() {
    server.reset();
    std::filesystem::remove_all(name);
  }
  void power_on() {
    auto listener = stream_socket::listen(machine_socket(config()));
    REQUIRE(listener.has_value());
    host = std::make_shared<simulated_host>();
    server = std::make_unique<machine_server>(host, std::move(*listener),
                                              deadline_file{config().state / "deadline", "boot"});
  }
  void power_off() {
    server.reset();
    std::filesystem::remove(machine_socket(config()));
  }
  [[nodiscard]] machine_config config() const { return {name}; }
};

} // namespace

TEST_CASE_FIXTURE(fenced_host,
                  "past its deadline a simulated host ends its ha guests, and no other") {
  host->set_deadline(110s);
  now = 110s - 1ns;
  host->let_guests_run();
  CHECK(left() == std::vector{guarded, plain});
  now = 110s;
  host->let_guests_run();
  CHECK(left() == std::vector{plain});
}

TEST_CASE_FIXTURE(fenced_host,
                  "a guest that comes late doesn't survive, until the deadline is moved") {
  host->set_deadline(100s);
  CHECK(left() == std::vector{plain});
  start(guarded, true);
  CHECK(left() == std::vector{plain});
  host->set_deadline(200s);
  start(guarded, true);
  CHECK(left() == std::vector{guarded, plain});
}

TEST_CASE_FIXTURE(fenced_host, "without a deadline nothing ends") {
  now = 1'000'000s;
  host->let_guests_run();
  CHECK(left().size() == 2);
}

TEST_CASE_FIXTURE(machine_with_folder, "a simulated machine ends its ha guests without any agent") {
  auto driver = make_simulated_hypervisor({host});
  REQUIRE(driver->create(spec_of(guarded, true)).has_value());
  REQUIRE(driver->create(spec_of(plain, false)).has_value());
  CHECK(set_machine_deadline(config(), boot_time() + 1h).has_value());
  host->let_guests_run();
  CHECK(host->guests().size() == 2);
  CHECK(set_machine_deadline(config(), boot_time() + 50ms).has_value());
  CHECK(becomes_true(10s, [&] { return host->guests().size() == 1; }));
  CHECK(host->guests().front().vm == plain);
}

TEST_CASE_FIXTURE(machine_with_folder, "a simulated machine's deadline outlives it") {
  CHECK(set_machine_deadline(config(), boot_time() - 1s).has_value());
  power_off();
  CHECK(set_machine_deadline(config(), boot_time()).error().code == hypervisor_errc::unreachable);
  power_on();
  auto driver = make_simulated_hypervisor({host});
  static_cast<void>(driver->create(spec_of(guarded, true)));
  host->let_guests_run();
  CHECK(host->guests().empty());
}

TEST_CASE_FIXTURE(machine_with_folder, "a deadline that can't be kept isn't taken") {
  std::filesystem::create_directories(config().state / "deadline.new"); // nobody can write there
  auto refused = set_machine_deadline(config(), boot_time() + 1h);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == hypervisor_errc::refused);
}
