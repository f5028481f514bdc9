// Somebody has a migration called off: the log's abort, as a stop, a delete or an operator causes
// it.

#include "tests/integration/gated_stream.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <functional>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t some_wire_bytes = 8'000'000;
constexpr const char* reason = "it was called off by the test";

command_outcome call_off(two_hosts& hosts, const migration_record& migration) {
  return hosts.control().propose(
      decide_migration{migration.id, migration.epoch, migration_decision::abort, reason});
}

/// Of the VM, whatever its migration is called.
command_outcome call_off_present(two_hosts& hosts) {
  const auto migration = hosts.find(hosts.vm().migration);
  REQUIRE(migration.has_value());
  return call_off(hosts, *migration);
}

void stays(two_hosts& hosts, migrating_host& from, const migration_record& migration) {
  const auto end = hosts.end_of(migration, 30s);
  if (!end)
    hosts.unsound();
  REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
  CHECK(end->phase == migration_phase::rolled_back);
  CHECK(end->reason == reason);
  hosts.mend();
  CHECK_MESSAGE(hosts.settles_at(from), hosts.log_lines());
}

/// Calls it off in the middle of a call of `host`'s hypervisor.
void during(migrating_host& host, guest_step step, moment when) {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  std::atomic<bool> done{false};
  host.plan().at_each_step([&](guest_step which, moment at) {
    if (which == step && at == when && !done.exchange(true))
      CHECK(call_off_present(hosts).ok());
  });
  const auto migration = hosts.migrate();
  CHECK(becomes_true(60s, [&] { return done.load(); }));
  stays(hosts, from, migration);
}

} // namespace

TEST_CASE("called off before its decision, in whatever phase, the guest goes on at its source") {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  SUBCASE("while the source begins") {
    during(from, guest_step::begin, moment::before);
  }
  SUBCASE("while the destination prepares") {
    during(hosts.there(), guest_step::prepare, moment::before);
  }
  SUBCASE("when the destination has prepared") {
    during(hosts.there(), guest_step::prepare, moment::after);
  }
  SUBCASE("while the memory travels") {
    hosts.set_link({.hold_after = some_wire_bytes});
    const auto migration = hosts.migrate();
    REQUIRE(becomes_true(60s, [&] { return hosts.link() && hosts.link()->holding(); }));
    CHECK(call_off(hosts, migration).ok());
    stays(hosts, from, migration); // over a link that is still held
  }
  SUBCASE("while the devices travel, and the guest is stopped") {
    gated_stream stream{from, 10'000};
    const auto migration = hosts.migrate();
    REQUIRE(stream.stops(hosts));
    CHECK(call_off(hosts, migration).ok());
    stays(hosts, from, migration);
  }
  SUBCASE("when all has arrived") {
    during(from, guest_step::perform, moment::after);
  }
  SUBCASE("just before it is committed") {
    std::atomic<bool> done{false};
    hosts.before_commit([&] {
      CHECK(call_off_present(hosts).ok());
      done = true;
    });
    const auto migration = hosts.migrate();
    CHECK(becomes_true(60s, [&] { return done.load(); }));
    stays(hosts, from, migration);
  }
}

TEST_CASE("called off after its decision, it goes on: the guest is the destination's") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  std::atomic<bool> done{false};
  to.plan().at_each_step([&](guest_step which, moment at) {
    if (which == guest_step::finish && at == moment::before && !done.exchange(true)) {
      const auto refused = call_off_present(hosts);
      CHECK_FALSE(refused.ok());
      MESSAGE(refused.detail);
    }
  });
  const auto end = hosts.end_of(hosts.migrate());
  REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
  CHECK(done);
  CHECK(end->phase == migration_phase::done);
  hosts.mend();
  CHECK_MESSAGE(hosts.settles_at(to), hosts.log_lines());
  end_shared_hosts();
}
