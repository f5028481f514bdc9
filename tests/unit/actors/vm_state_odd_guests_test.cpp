#include "tests/unit/actors/one_vm.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::vm_test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(one_vm, "one call is out at a time") {
  say();
  CHECK(called(show(presence::absent)) == guest_call::create);
  CHECK(state.tick(now).empty());
  CHECK(say().empty());
}

TEST_CASE_FIXTURE(one_vm, "a look while a call is out tells nothing") {
  say();
  CHECK(called(show(presence::paused)) == guest_call::resume);
  CHECK(show(presence::absent, {}).empty());
  auto report = observed(succeed(guest_call::resume));
  REQUIRE(report);
  CHECK(report->actual == actual_state::running);
}

TEST_CASE_FIXTURE(one_vm, "after a call that failed nothing is done before the next look") {
  say();
  show(presence::absent);
  state.answered(guest_call::create, make_failure(hypervisor_errc::unreachable, "gone"), now);
  auto effects = state.tick(now);
  REQUIRE(effects.size() == 1);
  CHECK(std::holds_alternative<look_again>(effects.front()));
}

TEST_CASE_FIXTURE(one_vm, "a refused start is tried again under the next epoch") {
  say();
  show(presence::absent);
  state.answered(guest_call::create, make_failure(hypervisor_errc::refused, "no such machine"),
                 now);
  show(presence::absent);
  word.vm.epoch = {0, 2};
  CHECK(called(say()) == guest_call::create);
}

TEST_CASE_FIXTURE(one_vm, "a guest that crashed is reported and ended, and the reason stays") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  auto effects = show(presence::crashed);
  REQUIRE(observed(effects));
  CHECK(observed(effects)->actual == actual_state::failed);
  CHECK(observed(effects)->reason == "the guest crashed");
  CHECK(called(effects) == guest_call::destroy);
  now += 1s;
  auto again = observed(succeed(guest_call::destroy));
  REQUIRE(again);
  CHECK(again->reason == "the guest crashed");
}

TEST_CASE_FIXTURE(one_vm, "that a guest has ended isn't said again once the log shows it") {
  word.vm.actual = actual_state::failed;
  word.vm.seen_epoch = word.vm.epoch;
  word.vm.reason = "the guest crashed";
  say();
  CHECK(show(presence::absent).empty());
}

TEST_CASE_FIXTURE(one_vm, "that an earlier guest has ended is no word on the present one") {
  word.vm.actual = actual_state::failed;
  word.vm.seen_epoch = {0, 0};
  say();
  auto report = observed(show(presence::absent));
  REQUIRE(report);
  CHECK(report->actual == actual_state::failed);
  CHECK(report->epoch == epoch{0, 1});
}

TEST_CASE_FIXTURE(one_vm, "why an earlier guest ended isn't why the present one did") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  REQUIRE(observed(show(presence::crashed))->reason == "the guest crashed");
  word.vm.epoch = word.vm.seen_epoch = {0, 2};
  say();
  auto report = observed(succeed(guest_call::destroy));
  REQUIRE(report);
  CHECK(report->epoch == epoch{0, 2});
  CHECK(report->reason == "the guest ended by itself");
}

TEST_CASE_FIXTURE(one_vm, "what the log shows of an older epoch is said again of this one") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = {0, 0};
  say();
  CHECK(observed(show(presence::running)));
}

TEST_CASE_FIXTURE(one_vm, "a pause stops a running guest, and says so") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  word.vm.requested = requested_state::paused;
  say();
  SUBCASE("that runs") {
    CHECK(called(show(presence::running)) == guest_call::pause);
    auto report = observed(succeed(guest_call::pause));
    REQUIRE(report);
    CHECK(report->actual == actual_state::paused);
  }
  SUBCASE("that has ended meanwhile") {
    auto report = observed(show(presence::absent));
    REQUIRE(report);
    CHECK(report->actual == actual_state::failed);
  }
}

TEST_CASE_FIXTURE(one_vm, "a paused guest can't shut down by itself: a stop ends it at once") {
  word.vm.actual = actual_state::paused;
  word.vm.requested = requested_state::stopped;
  say();
  CHECK(called(show(presence::paused)) == guest_call::destroy);
}

TEST_CASE_FIXTURE(one_vm, "a stop after one that was taken back has its own grace") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  word.vm.requested = requested_state::stopped;
  say();
  CHECK(called(show(presence::running)) == guest_call::shutdown);
  succeed(guest_call::shutdown);
  word.vm.requested = requested_state::running;
  say();
  now += 6s;
  word.vm.requested = requested_state::stopped;
  CHECK(called(say()) == guest_call::shutdown);
}

TEST_CASE_FIXTURE(one_vm, "of a VM that is gone nothing may be left, and its actor goes") {
  word.vm.actual = actual_state::gone;
  word.vm.requested = requested_state::deleted;
  say();
  CHECK(called(show(presence::running)) == guest_call::destroy);
  CHECK(ended(succeed(guest_call::destroy)));
}

TEST_CASE_FIXTURE(one_vm, "an incoming guest that no migration knows is ended") {
  say();
  CHECK(called(show(presence::incoming)) == guest_call::destroy);
}

TEST_CASE_FIXTURE(one_vm,
                  "after an abort the source is the migration's until that has resumed it") {
  word.migration = migration_away(word, migration_phase::aborted);
  word.migration->destination_clean = true;
  say();
  CHECK(show(presence::paused).empty());
  word.migration->source_clean = true;
  say();
  CHECK(called(show(presence::paused)) == guest_call::resume);
}

TEST_CASE_FIXTURE(one_vm,
                  "after an abort the destination's copy is the migration's until it is dropped") {
  word.migration = migration_away(word, migration_phase::aborted);
  std::swap(word.migration->from, word.migration->to);
  word.migration->source_clean = true;
  word.vm.host = elsewhere;
  say();
  CHECK(show(presence::incoming).empty());
  word.migration->destination_clean = true;
  say();
  CHECK(called(show(presence::incoming)) == guest_call::destroy);
}

TEST_CASE_FIXTURE(one_vm, "a guest that crashes in its migration is reported") {
  word.vm.actual = actual_state::migrating;
  word.migration = migration_away(word, migration_phase::reserved);
  say();
  CHECK(observed(show(presence::crashed)));
}

TEST_CASE_FIXTURE(one_vm, "a destination without the guest says nothing before the commit") {
  word.migration = migration_away(word, migration_phase::reserved);
  std::swap(word.migration->from, word.migration->to);
  word.vm.host = elsewhere;
  say();
  CHECK(show(presence::absent).empty());
}

TEST_CASE_FIXTURE(one_vm, "after the commit only the migration knows whether the guest ran here") {
  word.vm.actual = actual_state::migrating;
  word.migration = migration_away(word, migration_phase::committed);
  std::swap(word.migration->from, word.migration->to);
  say();
  CHECK(show(presence::absent).empty());
}

TEST_CASE_FIXTURE(one_vm,
                  "a guest that was to stop before its host was lost may not keep its VM waiting") {
  word.vm.actual = actual_state::lost;
  say();
  CHECK(!called(show(presence::stopping)));
  now += std::chrono::seconds{4};
  CHECK(!called(show(presence::stopping)));
  now += std::chrono::seconds{1};
  CHECK(called(show(presence::stopping)) == guest_call::destroy);
}

TEST_CASE_FIXTURE(one_vm, "a guest that doesn't obey a stop which a recovery has lost runs") {
  word.vm.actual = actual_state::migrating; // back from a migration that was rolled back
  say();
  const auto report = observed(show(presence::stopping));
  REQUIRE(report);
  CHECK(report->actual == actual_state::running);
}

TEST_CASE_FIXTURE(one_vm, "and can be paused") {
  word.vm.actual = actual_state::running;
  word.vm.requested = requested_state::paused;
  say();
  CHECK(called(show(presence::stopping)) == guest_call::pause);
}

TEST_CASE_FIXTURE(one_vm, "a guest that switches itself off is given its time") {
  word.vm.actual = actual_state::running;
  say();
  show(presence::stopping);
  now += std::chrono::minutes{1};
  CHECK(!called(show(presence::stopping)));
}

TEST_CASE_FIXTURE(one_vm,
                  "a guest that this machine can't run has failed, and is not tried for ever") {
  say();
  show(presence::absent);
  state.answered(guest_call::create,
                 make_failure(hypervisor_errc::not_supported, "unsupported configuration"), now);
  auto effects = show(presence::absent);
  CHECK(!called(effects));
  REQUIRE(observed(effects));
  CHECK(observed(effects)->actual == actual_state::failed);
  CHECK(observed(effects)->reason == "unsupported configuration");
}

TEST_CASE_FIXTURE(one_vm, "a call that fails again and again is made ever more slowly") {
  const auto refused = make_failure(hypervisor_errc::refused, "no");
  say();
  REQUIRE(called(show(presence::paused)) == guest_call::resume);
  const auto began = now;
  for (int failures = 0; failures < 20; ++failures) {
    state.answered(guest_call::resume, refused, now);
    while (!called(show(presence::paused)))
      now += 10ms;
    CHECK((now > began) == (failures > 0)); // the first may have been bad luck
  }
  CHECK(now - began > 10s);
  CHECK(now - began < 20s);
  succeed(guest_call::resume);
  CHECK(called(show(presence::paused)) == guest_call::resume);
  state.answered(guest_call::resume, refused, now);
  CHECK(called(show(presence::paused)) == guest_call::resume);
}
