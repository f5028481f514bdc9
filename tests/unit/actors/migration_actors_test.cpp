#include "actors/host/host_guests.hpp"
#include "actors/migration/destination_actor.hpp"
#include "actors/migration/source_actor.hpp"
#include "tests/unit/actors/one_guest.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <deque>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// The actors of a migration, on hosts whose blocking calls end when the test says so.
struct slow_hosts : virtual_time {
  std::deque<std::function<void()>> calls; ///< that have begun
  std::shared_ptr<host_context> context = std::make_shared<host_context>();
  migration_changed word;
  prepare_migration request;
  host_actor host_fake;
  link_actor link_fake;
  peers_actor peers_fake;
  caf::actor tested; ///< killed in the end

  slow_hosts() {
    context->pool = std::make_shared<blocking_pool>(
        [this](const uuid*, std::function<void()> call) { calls.push_back(std::move(call)); });
    context->driver = std::make_shared<one_guest>();
    word.migration.id = request.migration = {{9, 9}};
    word.migration.vm = word.vm.id = request.vm = one_guest::vm;
    word.migration.revision = word.vm.revision = 1;
    word.peer.emplace();
    word.fresh = true;
    host_fake = system.spawn([this]() -> host_actor::behavior_type {
      return {
          [](const attach_vm&) { return vm_changed{}; },
          [this](const attach_migration&) { return word; },
          [](const vm_observation&) {},
          [](const migration_observation&) {},
          [](const prepare_migration&) { return migration_prepared{}; },
          [](const migration_performed&) { return caf::ok_atom::value; },
          [](const guest_powered_off&) {},
          [](caf::update_atom) {},
          [](const continuation&) {},
          [](caf::tick_atom) {},
      };
    });
    link_fake = system.spawn([]() -> link_actor::behavior_type {
      return {
          [](const list_request&) { return feed_listing{}; },
          [](const pull_request&) { return feed_changes{}; },
          [](const migration_progress&) {},
          [](const proposal&) { return outcomes{}; },
          [](const group_status_request&) { return group_status{}; },
          [](const snapshot_chunk_request&) { return snapshot_chunk{}; },
          [](const replica_message_taken&) {},
          [](const prepare_migration& x) {
            return migration_prepared{x.migration, {}, "127.0.0.1:1", {}};
          },
          [](const migration_performed&) { return caf::ok_atom::value; },
          [](const kill_actor&) { return caf::ok_atom::value; },
          [](const actor_tree_request&) { return actor_tree{}; },
          [](caf::tick_atom) {},
      };
    });
    peers_fake = system.spawn([this]() -> peers_actor::behavior_type {
      return {[this](caf::connect_atom, node_id, const std::string&) { return link_fake; }};
    });
    context->host.set(host_fake);
    context->peers.set(peers_fake);
  }

  ~slow_hosts() {
    kill(tested);
    context->host.clear();
    context->peers.clear();
    kill(host_fake);
    kill(peers_fake);
    kill(link_fake);
    run();
    calls.clear();
  }

  template <class Actor>
  Actor test(Actor actor) {
    tested = caf::actor_cast<caf::actor>(actor);
    run();
    return actor;
  }

  /// Ends the call that began first.
  void end_a_call() {
    REQUIRE(!calls.empty());
    auto call = std::move(calls.front());
    calls.pop_front();
    call();
    run();
  }
};

} // namespace

TEST_CASE_FIXTURE(slow_hosts, "a source that waits for a destination's actor hears of its end") {
  auto actor = test(system.spawn(destination_side, word.migration.id, context));
  auto prepared = ask<migration_prepared>(actor, request);
  REQUIRE(!answered(prepared));
  auto told = ask<caf::ok_atom>(actor, migration_performed{word.migration.id, {}});
  REQUIRE(!answered(told));
  SUBCASE("that was killed") {
    kill(actor);
  }
  SUBCASE("that the log says is over") {
    word.migration.phase = migration_phase::rolled_back;
    ++word.migration.revision;
    caf::anon_send(actor, word);
    run();
  }
  REQUIRE(answered(prepared));
  REQUIRE(answered(told));
  CHECK(!prepared.answer());
  CHECK(!told.answer());
}

TEST_CASE_FIXTURE(slow_hosts,
                  "a source that is told nothing yet isn't forgotten for a second word") {
  auto actor = test(system.spawn(destination_side, word.migration.id, context));
  auto prepared = ask<migration_prepared>(actor, request);
  auto told = ask<caf::ok_atom>(actor, migration_performed{word.migration.id, {}});
  auto again = ask<caf::ok_atom>(actor, migration_performed{word.migration.id, {}});
  REQUIRE(answered(again));
  CHECK(!again.answer());
  CHECK(!answered(told));
  kill(actor);
  CHECK(answered(told));
}

TEST_CASE_FIXTURE(slow_hosts, "a hypervisor that takes its time is looked at once, not each tick") {
  test(system.spawn(source_side, word.migration.id, context));
  end_a_call();               // Begin
  REQUIRE(calls.size() == 1); // Perform is to start
  pass(5s);
  CHECK(calls.size() == 2);
}

TEST_CASE_FIXTURE(slow_hosts, "a source that waits for its reservation hears of the host's end") {
  auto actor = test(system.spawn(host, context));
  auto prepared = ask<migration_prepared>(actor, request);
  pass(1s);
  REQUIRE(!answered(prepared));
  context->host.clear();
  kill(actor);
  REQUIRE(answered(prepared));
  CHECK(!prepared.answer());
}
