#include "tests/integration/gated_stream.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// How far before the end of the devices the last cut is. Their length differs by
/// some 3 KiB from run to run, and the gate stops up to 4 KiB late: less, and a
/// migration may be whole before it is cut.
constexpr uint64_t last_bytes = 12'288;

const whole_stream& measured() {
  static const whole_stream whole = measure_whole(shared_hosts());
  return whole;
}

/// The guest must go on at its source, and be none the worse for it.
void stays(two_hosts& hosts, const migration_record& migration) {
  auto& from = hosts.here();
  auto end = hosts.end_of(migration);
  auto rolled_back = end && end->phase == migration_phase::rolled_back;
  CHECK_MESSAGE(rolled_back, (end ? to_string(end->phase) : "not over"), "\n", hosts.log_lines());
  if (!rolled_back)
    hosts.unsound();
  if (end)
    MESSAGE("rolled back: ", end->reason);
  hosts.mend();
  auto settled = hosts.settles_at(from);
  CHECK_MESSAGE(settled, hosts.log_lines());
}

void cut_at(uint64_t wire_bytes) {
  auto& hosts = shared_hosts();
  hosts.set_link({.cut_after = wire_bytes});
  auto migration = hosts.migrate();
  stays(hosts, migration);
}

/// Connections are lost by these faults, and may come back: the guest arrives nevertheless.
void comes_back_after(const link_faults& faults) {
  const auto undisturbed = measured().connections;
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  hosts.set_link(faults);
  auto end = hosts.end_of(hosts.migrate());
  auto done = end && end->phase == migration_phase::done;
  CHECK_MESSAGE(done, (end ? end->reason : "not over"), "\n", hosts.log_lines());
  if (!done)
    hosts.unsound();
  auto link = hosts.link();
  CHECK((link && link->connections() > undisturbed)); // or nothing was lost
  hosts.mend();
  auto settled = hosts.settles_at(to);
  CHECK_MESSAGE(settled, hosts.log_lines());
}

void cut_in_devices(uint64_t device_bytes) {
  auto& hosts = shared_hosts();
  gated_stream stream{hosts.here(), device_bytes};
  auto migration = hosts.migrate();
  CHECK(stream.stops(hosts));
  hosts.link()->cut();
  stays(hosts, migration);
}

} // namespace

TEST_CASE("connections that are cut while the guest runs come back") {
  auto whole = measured();
  SUBCASE("after a hundredth") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 100});
  }
  SUBCASE("after a tenth") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 10});
  }
  SUBCASE("in the middle") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 2});
  }
}

TEST_CASE("a connection that is cut for good leaves the guest at its source") {
  auto whole = measured();
  SUBCASE("while it is opened") {
    cut_at(100);
  }
  SUBCASE("after the first ticket") {
    cut_at(3'000);
  }
  SUBCASE("after a tenth") {
    cut_at(whole.wire_bytes / 10);
  }
  SUBCASE("after nine tenths") {
    cut_at(whole.wire_bytes / 10 * 9);
  }
  SUBCASE("between memory and devices") {
    cut_in_devices(0);
  }
  SUBCASE("after a quarter of the devices") {
    cut_in_devices(whole.device_bytes / 4);
  }
  SUBCASE("after three quarters of the devices") {
    cut_in_devices(whole.device_bytes / 4 * 3);
  }
  SUBCASE("before the devices' last bytes") {
    cut_in_devices(whole.device_bytes - last_bytes);
  }
}

TEST_CASE("a corrupted byte is refused, and what it was part of is sent again") {
  auto whole = measured();
  comes_back_after({.flip_bit_at = whole.wire_bytes / 3});
}

TEST_CASE("after all that the guest can still be moved") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  auto end = hosts.end_of(hosts.migrate());
  REQUIRE(end.has_value());
  CHECK(end->phase == migration_phase::done);
  CHECK(hosts.settles_at(to));
  end_shared_hosts();
}
