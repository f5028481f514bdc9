// A link that is silent for a while: nothing passes, and nobody is told.

#include "tests/integration/gated_stream.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr uint64_t some_wire_bytes = 8'000'000;

/// Whether the migration is still undecided when the span is over.
bool stays_open(two_hosts& hosts, const migration_record& migration, std::chrono::seconds span) {
  return !becomes_true(
      span,
      [&] {
        const auto now = hosts.find(migration.id);
        return !now || !now->undecided();
      },
      50ms);
}

/// The guest runs: it is waited for, and arrives.
void silent_while_it_runs(std::chrono::seconds span) {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  hosts.set_link({.hold_after = some_wire_bytes});
  const auto migration = hosts.migrate();
  REQUIRE(becomes_true(60s, [&] { return hosts.link() && hosts.link()->holding(); }));
  CHECK(stays_open(hosts, migration, span));
  CHECK(hosts.console().wait_for_ticks(2, 5s)); // meanwhile it runs where it was
  hosts.link()->release();
  hosts.check_end(migration, migration_phase::done, to);
}

/// A migration whose guest has stopped, with half of its devices to be sent over a silent link.
struct stopped_guest {
  two_hosts& hosts = shared_hosts();
  migrating_host& from = hosts.here();
  migrating_host& to = hosts.there();
  gated_stream stream;
  migration_record migration;
  clock_type::time_point silent_since;

  explicit stopped_guest(uint64_t device_bytes) : stream{from, device_bytes} {
    hosts.set_link({});
    migration = hosts.migrate();
    REQUIRE_MESSAGE(stream.stops(hosts), hosts.log_lines());
    hosts.link()->hold();
    stream.release();
    silent_since = clock_type::now();
  }
  ~stopped_guest() { hosts.mend(); }
};

uint64_t half_of_the_devices() {
  static const auto half = measure_whole(shared_hosts()).device_bytes / 2;
  return half;
}

/// Longer than it may take: the guest goes on at the source while all is silent still.
void silent_after_it_stopped(std::chrono::seconds span) {
  stopped_guest x{half_of_the_devices()};
  CHECK_MESSAGE(x.hosts.console().wait_for_ticks(2, 30s), x.hosts.log_lines());
  const auto stood = clock_type::now() - x.silent_since;
  MESSAGE("the guest went on after ", stood / 1ms, " ms of silence");
  CHECK(stood >= send_options{}.stopped_limit);
  CHECK(stood < 2 * send_options{}.stopped_limit); // else its lost connections ended it
  CHECK(x.hosts.link()->holding());
  CHECK(x.from.processes(x.hosts.guest()).size() == 1);
  const auto over = x.silent_since + span;
  CHECK(becomes_true(
      span, [&] { return clock_type::now() >= over; }, 50ms));
  x.hosts.link()->release();
  x.hosts.check_end(x.migration, migration_phase::rolled_back, x.from);
  const auto end = x.hosts.find(x.migration.id);
  CHECK_MESSAGE(end->reason.find("silent") != std::string::npos, end->reason);
}

} // namespace

TEST_CASE("a link that is silent while the guest runs is waited for") {
  SUBCASE("1 s") {
    silent_while_it_runs(1s);
  }
  SUBCASE("5 s") {
    silent_while_it_runs(5s);
  }
  SUBCASE("30 s") {
    silent_while_it_runs(30s);
  }
}

TEST_CASE("a moment's silence after the guest has stopped only makes its pause longer") {
  stopped_guest x{half_of_the_devices()};
  CHECK(stays_open(x.hosts, x.migration, 1s));
  x.hosts.link()->release();
  x.hosts.check_end(x.migration, migration_phase::done, x.to);
}

TEST_CASE("a longer silence after the guest has stopped leaves it at its source, soon") {
  SUBCASE("5 s") {
    silent_after_it_stopped(5s);
  }
  SUBCASE("30 s") {
    silent_after_it_stopped(30s);
  }
}

TEST_CASE("after all that silence the guest can still be moved") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  hosts.check_end(hosts.migrate(), migration_phase::done, to);
  end_shared_hosts();
}
