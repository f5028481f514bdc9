#include "tests/unit/actors/one_vm.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::vm_test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(one_vm, "nothing is done before the hypervisor has been looked at") {
  auto effects = say();
  REQUIRE(effects.size() == 1);
  CHECK(std::holds_alternative<look_again>(effects.front()));
}

TEST_CASE_FIXTURE(one_vm, "a start creates the guest paused, then lets it run, then reports it") {
  say();
  CHECK(called(show(presence::absent)) == guest_call::create);
  CHECK(called(succeed(guest_call::create)) == guest_call::resume);
  auto report = observed(succeed(guest_call::resume));
  REQUIRE(report);
  CHECK(report->actual == actual_state::running);
  CHECK(report->epoch == epoch{0, 1});
}

TEST_CASE_FIXTURE(one_vm,
                  "without permission to start no guest is made, and a paused one stays so") {
  word.may_start = false;
  say();
  CHECK(!called(show(presence::absent)));
  CHECK(!called(show(presence::paused)));
  word.may_start = true;
  CHECK(called(say()) == guest_call::resume);
}

TEST_CASE_FIXTURE(one_vm,
                  "permission that goes between create and resume leaves the guest paused") {
  say();
  show(presence::absent);
  word.may_start = false;
  say();
  CHECK(!called(succeed(guest_call::create)));
}

TEST_CASE_FIXTURE(one_vm, "a guest that was seen under this epoch and is gone is not made again") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  auto effects = show(presence::absent);
  CHECK(!called(effects));
  auto report = observed(effects);
  REQUIRE(report);
  CHECK(report->actual == actual_state::failed);
}

TEST_CASE_FIXTURE(one_vm, "a guest of an older epoch is ended, never used") {
  say();
  CHECK(called(show(presence::running, {0, 0})) == guest_call::destroy);
}

TEST_CASE_FIXTURE(one_vm, "a look that began before our last call ended is ignored") {
  say();
  show(presence::absent);
  auto before = now;
  now += 1s;
  succeed(guest_call::create);
  succeed(guest_call::resume);
  guest_seen late;
  late.guest = presence::absent;
  late.asked = before;
  CHECK(state.seen(late, now + 1s).empty());
}

TEST_CASE_FIXTURE(one_vm, "a start that the hypervisor refuses is reported with its reason, once") {
  say();
  show(presence::absent);
  state.answered(guest_call::create, make_failure(hypervisor_errc::refused, "no such machine"),
                 now);
  auto report = observed(show(presence::absent));
  REQUIRE(report);
  CHECK(report->reason == "no such machine");
  CHECK(!observed(show(presence::absent)));
  now += 1s;
  CHECK(observed(state.tick(now))); // still not in the log: said again
}

TEST_CASE_FIXTURE(one_vm, "a lost daemon is no reason to fail: look, then try again") {
  say();
  show(presence::absent);
  auto effects
      = state.answered(guest_call::create, make_failure(hypervisor_errc::unreachable, "gone"), now);
  CHECK(std::holds_alternative<look_again>(effects.at(0)));
  CHECK(called(show(presence::absent)) == guest_call::create);
}

TEST_CASE_FIXTURE(one_vm, "a stop asks the guest first and pulls the plug after the grace") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  word.vm.requested = requested_state::stopped;
  say();
  CHECK(called(show(presence::running)) == guest_call::shutdown);
  succeed(guest_call::shutdown);
  now += 4'900ms;
  CHECK(!called(show(presence::stopping)));
  now += 200ms;
  CHECK(called(state.tick(now)) == guest_call::destroy);
  auto report = observed(succeed(guest_call::destroy));
  REQUIRE(report);
  CHECK(report->actual == actual_state::defined);
}

TEST_CASE_FIXTURE(one_vm, "a delete ends the guest at once and reports it gone") {
  word.vm.actual = actual_state::running;
  word.vm.requested = requested_state::deleted;
  say();
  CHECK(called(show(presence::running)) == guest_call::destroy);
  CHECK(observed(succeed(guest_call::destroy))->actual == actual_state::gone);
}

TEST_CASE_FIXTURE(one_vm, "while its migration is undecided the guest is not touched") {
  word.vm.requested = requested_state::stopped;
  word.migration = migration_away(word, migration_phase::reserved);
  say();
  CHECK(show(presence::running).empty());
  CHECK(show(presence::paused).empty());
}

TEST_CASE_FIXTURE(one_vm,
                  "a guest that dies in its migration is reported, so that the log aborts it") {
  word.vm.actual = actual_state::migrating;
  word.migration = migration_away(word, migration_phase::reserved);
  say();
  REQUIRE(observed(show(presence::absent)));
}

TEST_CASE_FIXTURE(one_vm,
                  "after the commit the paused source is the migration's, not ours to end") {
  word.vm.host = elsewhere;
  word.vm.epoch = {0, 2};
  for (auto phase : {migration_phase::committed, migration_phase::finished}) {
    word.migration = migration_away(word, phase);
    say();
    CHECK(show(presence::paused, {0, 1}).empty());
  }
}

TEST_CASE_FIXTURE(one_vm, "what was seen during a migration is not believed after it") {
  word.vm.actual = actual_state::migrating;
  word.migration = migration_away(word, migration_phase::committed);
  word.migration->from = elsewhere;
  word.migration->to = here;
  say();
  CHECK(show(presence::incoming).empty());
  auto before_its_end = now;
  now += 10ms;
  word.migration->phase = migration_phase::finished;
  CHECK(!called(say())); // it was let run meanwhile: destroying the incoming one would end it
  guest_seen late;
  late.guest = presence::incoming;
  late.epoch = word.vm.epoch;
  late.asked = before_its_end;
  CHECK(!called(state.seen(late, now)));
  auto report = observed(show(presence::running));
  REQUIRE(report);
  CHECK(report->actual == actual_state::running);
}

TEST_CASE_FIXTURE(one_vm,
                  "a leftover of a VM that is placed elsewhere is ended, then the actor goes") {
  word.vm.host = elsewhere;
  say();
  CHECK(called(show(presence::running)) == guest_call::destroy);
  CHECK(ended(succeed(guest_call::destroy)));
}

TEST_CASE_FIXTURE(one_vm, "what the log shows already isn't reported again") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  CHECK(show(presence::running).empty());
}

TEST_CASE_FIXTURE(one_vm, "a restart clears what the crash left, then makes the new guest, once") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  auto crash = show(presence::crashed);
  CHECK(observed(crash)->reason == "the guest crashed");
  CHECK(called(crash) == guest_call::destroy);
  // The log is faster than the hypervisor.
  word.vm.actual = actual_state::starting;
  word.vm.epoch = {0, 2};
  CHECK(say().empty());
  CHECK(called(succeed(guest_call::destroy)) == guest_call::create);
  CHECK(say().empty()); // a repeat makes no second one
  CHECK(called(succeed(guest_call::create)) == guest_call::resume);
  auto report = observed(succeed(guest_call::resume));
  CHECK(report->actual == actual_state::running);
  CHECK(report->epoch == epoch{0, 2});
  now += 1s;
  CHECK(!called(show(presence::running)));
}

TEST_CASE_FIXTURE(one_vm,
                  "after an agent's restart the crashed guest of the old epoch is cleared") {
  word.vm.epoch = {0, 2};
  word.vm.seen_epoch = {0, 1};
  say();
  auto left = show(presence::crashed, {0, 1});
  CHECK(called(left) == guest_call::destroy);
  CHECK(!observed(left)); // it says nothing of the new permission
  CHECK(called(succeed(guest_call::destroy)) == guest_call::create);
}

TEST_CASE_FIXTURE(one_vm, "a guest that switched itself off is told apart from one that died") {
  word.vm.actual = actual_state::running;
  word.vm.seen_epoch = word.vm.epoch;
  say();
  guest_seen seen;
  seen.asked = now;
  seen.powered_off = true;
  auto report = observed(state.seen(seen, now));
  REQUIRE(report);
  CHECK(report->actual == actual_state::defined);
  CHECK(report->reason == "the guest switched itself off");
}

TEST_CASE_FIXTURE(one_vm, "an end that the log knows is not reported again, whatever it calls it") {
  say();
  show(presence::absent);
  state.answered(guest_call::create, make_failure(hypervisor_errc::refused, "no such machine"),
                 now);
  REQUIRE(observed(show(presence::absent)));
  word.vm.actual = actual_state::failed;
  word.vm.seen_epoch = word.vm.epoch;
  word.vm.reason = "no such machine; it ended 5 times and is not restarted any more";
  now += 1s;
  CHECK(say().empty());
  CHECK(show(presence::absent).empty());
}

TEST_CASE_FIXTURE(one_vm,
                  "a guest that was made while the log gave a newer permission is cleared") {
  say();
  show(presence::absent); // create is called, under 0.1
  word.vm.epoch = {0, 2};
  say();
  CHECK(called(succeed(guest_call::create)) == guest_call::destroy);
  CHECK(called(succeed(guest_call::destroy)) == guest_call::create);
}

TEST_CASE_FIXTURE(one_vm, "a refusal under an older permission says nothing of the newer one") {
  say();
  show(presence::absent);
  word.vm.epoch = {0, 2};
  say();
  state.answered(guest_call::create, make_failure(hypervisor_errc::refused, "no such machine"),
                 now);
  CHECK(called(show(presence::absent)) == guest_call::create);
}

TEST_CASE_FIXTURE(one_vm, "an older word than the last is ignored") {
  say();
  auto stale = word;
  stale.vm.revision = 1;
  stale.vm.requested = requested_state::deleted;
  CHECK(state.changed(stale, now).empty());
  CHECK(state.record()->requested == requested_state::running);
}
