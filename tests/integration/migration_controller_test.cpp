// The controller dies in the middle of a migration, and comes back with its disk.

#include "tests/integration/two_hosts.hpp"

#include <atomic>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t some_wire_bytes = 8'000'000;

/// The controller is away for the span, and the guest runs on.
void away_for(two_hosts& hosts, std::chrono::seconds span) {
  const auto back = std::chrono::steady_clock::now() + span;
  CHECK(becomes_true(
      span + 1s, [&] { return std::chrono::steady_clock::now() >= back; }, 50ms));
  hosts.start_controller();
}

/// Kills it just before the source asks it to commit.
void killed_before_commit(std::chrono::seconds away, migration_phase how) {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  auto& to = hosts.there();
  std::atomic<bool> killed{false};
  hosts.before_commit([&] {
    hosts.kill_controller();
    killed = true;
  });
  const auto migration = hosts.migrate();
  REQUIRE(becomes_true(60s, [&] { return killed.load(); }));
  away_for(hosts, away);
  hosts.check_end(migration, how, how == migration_phase::done ? to : from, 60s);
}

} // namespace

TEST_CASE("a controller that dies while the memory travels is not missed") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  hosts.set_link({.hold_after = some_wire_bytes});
  const auto migration = hosts.migrate();
  REQUIRE(becomes_true(60s, [&] { return hosts.link() && hosts.link()->holding(); }));
  hosts.kill_controller();
  hosts.link()->release();
  away_for(hosts, 2s);
  hosts.check_end(migration, migration_phase::done, to, 60s);
}

TEST_CASE("without a controller nothing is decided: soon back it commits, later it is too late") {
  SUBCASE("soon") {
    killed_before_commit(2s, migration_phase::done);
  }
  SUBCASE("later") {
    killed_before_commit(15s, migration_phase::rolled_back);
  }
}

TEST_CASE("a controller that dies after the decision finds that the destination has obeyed") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  std::atomic<bool> killed{false};
  to.plan().at_each_step([&](guest_step which, moment at) {
    if (which == guest_step::finish && at == moment::before && !killed.exchange(true))
      hosts.kill_controller();
  });
  const auto migration = hosts.migrate();
  REQUIRE(becomes_true(60s, [&] { return killed.load(); }));
  CHECK(hosts.console().wait_for_ticks(5, 30s)); // at the destination, without a word of the log
  away_for(hosts, 2s);
  hosts.check_end(migration, migration_phase::done, to, 60s);
  end_shared_hosts();
}
