#include "tests/unit/actors/small_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

std::string path(const small_host& host, migration_id migration) {
  return host.name + ":guests/migration-" + to_string(migration);
}

/// A guest of the first host that is on its way to the second.
struct moving_guest : small_cluster {
  vm_id vm = run_guest(first);

  bool is_at(const small_host& here, const small_host& other) {
    return becomes([&] {
      auto record = find<vm_record>(vm);
      return record && record->host == here.id && record->actual == actual_state::running
             && record->migration.value.nil() && here.runs(vm) && !other.guest(vm);
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(moving_guest, "a guest moves, with its memory") {
  auto migration = migrate(vm, second);
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(is_at(second, first));
  CHECK(find<migration_record>(migration)->cost.chain_ok);
}

TEST_CASE_FIXTURE(moving_guest, "a link that isn't up yet is asked again") {
  links_not_up = 3;
  auto migration = migrate(vm, second);
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(links_not_up < 0);
}

TEST_CASE_FIXTURE(moving_guest, "a source's actor that is killed before the commit rolls it back") {
  first.calls->hold("migrate", 2); // Perform, before it sends anything
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return first.calls->holds("migrate"); }));
  kill(path(first, migration));
  first.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::rolled_back); }));
  CHECK(is_at(first, second));
}

TEST_CASE_FIXTURE(moving_guest,
                  "a destination's actor that is killed before the commit rolls it back") {
  second.calls->hold("migration_prepare");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return second.calls->holds("migration_prepare"); }));
  kill(path(second, migration));
  second.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::rolled_back); }));
  CHECK(is_at(first, second));
}

TEST_CASE_FIXTURE(moving_guest, "a destination's actor that is killed in its Finish goes forward") {
  second.calls->hold("migration_finish");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return second.calls->holds("migration_finish"); }));
  CHECK(shows(migration, migration_phase::committed));
  kill(path(second, migration));
  second.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(is_at(second, first));
}

TEST_CASE_FIXTURE(moving_guest, "a source's actor that is killed in its Confirm confirms again") {
  first.calls->hold("migration_confirm");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return first.calls->holds("migration_confirm"); }));
  kill(path(first, migration));
  first.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(is_at(second, first));
}

TEST_CASE_FIXTURE(moving_guest, "hosts' actors that are killed in a migration find it again") {
  second.calls->hold("migration_finish");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return second.calls->holds("migration_finish"); }));
  kill("node-1:host");
  kill("node-2:host");
  second.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(is_at(second, first));
}

TEST_CASE_FIXTURE(moving_guest,
                  "a host's actor that is killed while its guest is made holds nobody up") {
  second.calls->hold("migration_prepare");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return second.calls->holds("migration_prepare"); }));
  kill("node-2:host");
  second.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::done); }));
  CHECK(is_at(second, first));
}

TEST_CASE_FIXTURE(moving_guest, "guests' supervisors that are killed lose no migration") {
  // Whether the host asks the dead supervisor or the next one is chance: so it is done often.
  for (int turn = 0; turn < 8; ++turn) {
    auto& from = turn % 2 == 0 ? first : second;
    auto& to = turn % 2 == 0 ? second : first;
    from.calls->hold("migration_confirm");
    auto migration = migrate(vm, to);
    REQUIRE(becomes([&] { return from.calls->holds("migration_confirm"); }));
    REQUIRE(becomes([&] { return shows(migration, migration_phase::finished); }));
    kill(from.name + ":guests");
    from.calls->release();
    REQUIRE(becomes([&] { return shows(migration, migration_phase::done); }));
    REQUIRE(is_at(to, from));
  }
}

TEST_CASE_FIXTURE(moving_guest,
                  "an older run is aborted before anything else is done about its VM") {
  first.calls->hold("migrate", 2);
  first.calls->hold("migration_abort");
  auto migration = migrate(vm, second);
  REQUIRE(becomes([&] { return first.calls->holds("migrate"); }));
  kill(path(first, migration));
  REQUIRE(becomes([&] { return first.calls->holds("migration_abort"); }));
  REQUIRE(becomes([&] { return shows(migration, migration_phase::aborted); }));
  auto looks = first.calls->count("list");
  REQUIRE(becomes([&] { return first.calls->count("list") >= looks + 2; }));
  CHECK(first.calls->count("adopt") == 0); // or a newer migration could begin, and be hit
  first.calls->release();
  CHECK(becomes([&] { return shows(migration, migration_phase::rolled_back); }));
  CHECK(is_at(first, second));
}
