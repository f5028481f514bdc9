#include "actors/migration/migration_destination.hpp"
#include "hypervisor/errors.hpp"
#include "tests/unit/actors/migration_effects_sought.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const migration_destination::time_point start{1h};
const migration_cost measured{0ms, 1 << 20, 1 << 18, 2, true};

struct arriving_guest {
  migration_destination state;
  migration_changed word;
  prepare_migration request;
  migration_destination::time_point now = start;

  arriving_guest() {
    word.migration.id = {{9, 9}};
    word.migration.vm = {{7, 7}};
    word.migration.epoch = {0, 4};
    word.vm.id = {{7, 7}};
    word.fresh = true;
    request.migration = word.migration.id;
    request.vm = word.migration.vm;
    request.epoch = {0, 4};
  }

  migration_effects say(migration_phase phase) {
    word.migration.phase = phase;
    return state.changed(word, now);
  }
  /// All pages are here, and the source has said so.
  void receive_everything() {
    say(migration_phase::reserved);
    state.asked_to_prepare(request, now);
    state.prepared(migration_prepared{}, now);
    state.pages_ended(measured, now);
    state.told({word.migration.id, "c3"}, now);
  }
  /// The log has committed, and nobody knows what the Finish did.
  void lose_the_answer_to_finish() {
    receive_everything();
    say(migration_phase::committed);
    state.finished(make_failure(hypervisor_errc::outcome_unknown, "lost"), now);
    now += 1s;
  }
};

failure missing() {
  return make_failure(hypervisor_errc::no_such_guest, "no such guest");
}

} // namespace

TEST_CASE_FIXTURE(arriving_guest, "the guest runs here only once the log says committed") {
  receive_everything();
  now += 1s;
  CHECK(!find<finish_incoming>(state.tick(now)));
  auto effects = say(migration_phase::committed);
  REQUIRE(find<finish_incoming>(effects));
  CHECK(find<finish_incoming>(effects)->cookie == "c3");
}

TEST_CASE_FIXTURE(arriving_guest,
                  "the source hears that all is here only when the pages have ended well") {
  say(migration_phase::reserved);
  state.asked_to_prepare(request, now);
  state.prepared(migration_prepared{}, now);
  CHECK(!find<answer_performed>(state.told({word.migration.id, "c3"}, now)));
  SUBCASE("well") {
    auto effects = state.pages_ended(measured, now);
    REQUIRE(find<answer_performed>(effects));
    CHECK(find<answer_performed>(effects)->problem.empty());
  }
  SUBCASE("badly") {
    auto effects = state.pages_ended(broken(), now);
    REQUIRE(find<answer_performed>(effects));
    CHECK(!find<answer_performed>(effects)->problem.empty());
    CHECK(proposes(effects, migration_decision::abort));
  }
}

TEST_CASE_FIXTURE(arriving_guest, "a request that doesn't fit the log is refused") {
  say(migration_phase::reserved);
  request.epoch = {0, 3};
  auto effects = state.asked_to_prepare(request, now);
  CHECK(!find<prepare_incoming>(effects));
  REQUIRE(find<answer_prepare>(effects));
  CHECK(!find<answer_prepare>(effects)->answer);
}

TEST_CASE_FIXTURE(arriving_guest, "a restarted destination lost the stream and proposes to abort") {
  word.fresh = false;
  CHECK(proposes(say(migration_phase::reserved), migration_decision::abort));
}

TEST_CASE_FIXTURE(arriving_guest, "a source that never begins is given up") {
  say(migration_phase::reserved);
  now += 31s;
  CHECK(proposes(state.tick(now), migration_decision::abort));
}

TEST_CASE_FIXTURE(arriving_guest,
                  "a loaded guest that stays undecided for ten seconds is given up") {
  receive_everything();
  now += 10'001ms;
  CHECK(proposes(state.tick(now), migration_decision::abort));
}

TEST_CASE_FIXTURE(arriving_guest, "an abort removes the incoming guest") {
  receive_everything();
  CHECK(find<cancel_incoming>(say(migration_phase::aborted)));
  auto report = state.cleaned(std::nullopt, now);
  REQUIRE(find<report_migration>(report));
  CHECK(find<report_migration>(report)->observation.clean);
}

TEST_CASE_FIXTURE(arriving_guest, "restarted after the commit it looks before it acts") {
  word.fresh = false;
  CHECK(find<look_for_guest>(say(migration_phase::committed)));
  SUBCASE("the guest is here: done") {
    CHECK(find<report_migration>(state.found(found_guest{found_guest::presence::here, true}, now)));
  }
  SUBCASE("it waits to be finished: finish it") {
    CHECK(find<finish_incoming>(
        state.found(found_guest{found_guest::presence::incoming, false}, now)));
  }
  SUBCASE("it never ran here: give it back") {
    CHECK(proposes(state.found(found_guest{found_guest::presence::absent, false}, now),
                   migration_decision::return_guest));
  }
  SUBCASE("it is paused: it may be about to end, unless it stays so") {
    const found_guest paused{found_guest::presence::paused, false};
    CHECK(!find<report_migration>(state.found(paused, now)));
    state.found(missing(), now += 20s); // so nobody knows for how long
    CHECK(!find<report_migration>(state.found(paused, now += 29s)));
    CHECK(find<report_migration>(state.found(paused, now += 30s)));
  }
  SUBCASE("it may have run here: never give it back") {
    auto effects = state.found(found_guest{found_guest::presence::absent, true}, now);
    CHECK(!find<propose_decision>(effects));
    CHECK(find<report_migration>(effects));
  }
}

TEST_CASE_FIXTURE(arriving_guest, "a guest that is gone before its Finish is given back") {
  receive_everything();
  say(migration_phase::committed);
  state.finished(missing(), now);
  now += 1s;
  CHECK(find<look_for_guest>(state.tick(now)));
  CHECK(proposes(state.found(found_guest{found_guest::presence::absent, false}, now),
                 migration_decision::return_guest));
}

TEST_CASE_FIXTURE(arriving_guest,
                  "a Finish whose answer was lost is never taken for one that failed") {
  lose_the_answer_to_finish();
  CHECK(!find<finish_incoming>(state.tick(now)));
  CHECK(
      !find<propose_decision>(state.found(found_guest{found_guest::presence::absent, true}, now)));
}

TEST_CASE_FIXTURE(arriving_guest, "a request is refused when it can't lead to a guest here") {
  say(migration_phase::reserved);
  auto refused = [&] {
    auto effects = state.asked_to_prepare(request, now);
    auto* answer = find<answer_prepare>(effects);
    return !find<prepare_incoming>(effects) && answer && !answer->answer
           && !answer->problem.empty();
  };
  SUBCASE("for another VM") {
    request.vm = {{8, 8}};
    CHECK(refused());
  }
  SUBCASE("a second time") {
    CHECK(find<prepare_incoming>(state.asked_to_prepare(request, now)));
    CHECK(refused());
  }
  SUBCASE("once it is aborted") {
    say(migration_phase::aborted);
    CHECK(refused());
  }
  SUBCASE("once it is committed") {
    say(migration_phase::committed);
    CHECK(refused());
  }
}

TEST_CASE_FIXTURE(arriving_guest, "a restarted destination takes neither request nor word") {
  word.fresh = false;
  say(migration_phase::reserved);
  auto effects = state.asked_to_prepare(request, now);
  CHECK(!find<prepare_incoming>(effects));
  CHECK(find<answer_prepare>(effects));
  auto told = state.told({word.migration.id, "c3"}, now);
  REQUIRE(find<answer_performed>(told));
  CHECK(!find<answer_performed>(told)->problem.empty());
}

TEST_CASE_FIXTURE(arriving_guest, "the source hears how the preparation went") {
  say(migration_phase::reserved);
  state.asked_to_prepare(request, now);
  SUBCASE("well") {
    auto effects
        = state.prepared(migration_prepared{word.migration.id, "c2", "127.0.0.1:1", {}}, now);
    REQUIRE(find<answer_prepare>(effects));
    REQUIRE(find<answer_prepare>(effects)->answer);
    CHECK(find<answer_prepare>(effects)->answer->cookie == "c2");
    CHECK(!find<propose_decision>(effects));
  }
  SUBCASE("badly: then the migration is given up, too") {
    auto effects = state.prepared(broken(), now);
    REQUIRE(find<answer_prepare>(effects));
    CHECK(!find<answer_prepare>(effects)->answer);
    CHECK(find<answer_prepare>(effects)->problem == "the stream broke");
    CHECK(proposes(effects, migration_decision::abort));
  }
}

TEST_CASE_FIXTURE(arriving_guest, "a source that says it has sent all is told what isn't here") {
  say(migration_phase::reserved);
  auto refused = [&] {
    auto effects = state.told({word.migration.id, "c3"}, now);
    return find<answer_performed>(effects) && !find<answer_performed>(effects)->problem.empty();
  };
  SUBCASE("nothing was prepared") {
    CHECK(refused());
  }
  SUBCASE("the pages have ended badly") {
    state.asked_to_prepare(request, now);
    state.prepared(migration_prepared{}, now);
    state.pages_ended(broken(), now);
    CHECK(refused());
  }
  SUBCASE("all pages are here, but it was aborted") {
    state.asked_to_prepare(request, now);
    state.prepared(migration_prepared{}, now);
    state.pages_ended(measured, now);
    say(migration_phase::aborted);
    CHECK(refused());
  }
  SUBCASE("some pages are here, and it was aborted") {
    state.asked_to_prepare(request, now);
    state.prepared(migration_prepared{}, now);
    say(migration_phase::aborted);
    CHECK(refused());
  }
}

TEST_CASE_FIXTURE(arriving_guest, "a source whose pages are all here hears it at once") {
  say(migration_phase::reserved);
  state.asked_to_prepare(request, now);
  state.prepared(migration_prepared{}, now);
  state.pages_ended(measured, now);
  auto told = state.told({word.migration.id, "c3"}, now);
  REQUIRE(find<answer_performed>(told));
  CHECK(find<answer_performed>(told)->problem.empty());
}

TEST_CASE_FIXTURE(arriving_guest, "a source that has begun may take its time") {
  say(migration_phase::reserved);
  state.asked_to_prepare(request, now);
  state.prepared(migration_prepared{}, now);
  now += 10min;
  CHECK(!find<propose_decision>(state.tick(now)));
}

TEST_CASE_FIXTURE(arriving_guest, "what is being prepared is cancelled only after it") {
  say(migration_phase::reserved);
  state.asked_to_prepare(request, now);
  CHECK(!find<cancel_incoming>(say(migration_phase::aborted)));
  CHECK(find<cancel_incoming>(state.prepared(migration_prepared{}, now)));
}

TEST_CASE_FIXTURE(arriving_guest, "a cancel is tried until it succeeds, one at a time") {
  receive_everything();
  CHECK(find<cancel_incoming>(say(migration_phase::aborted)));
  now += 1s;
  CHECK(state.tick(now).empty());
  CHECK(state.cleaned(broken(), now).empty());
  CHECK(state.tick(now).empty());
  now += 200ms;
  CHECK(find<cancel_incoming>(state.tick(now)));
}

TEST_CASE_FIXTURE(arriving_guest, "a Finish is called once at a time") {
  receive_everything();
  CHECK(find<finish_incoming>(say(migration_phase::committed)));
  now += 1s;
  CHECK(state.tick(now).empty());
}

TEST_CASE_FIXTURE(arriving_guest, "a Finish that was refused has not let the guest run") {
  receive_everything();
  say(migration_phase::committed);
  state.finished(make_failure(hypervisor_errc::refused, "no"), now);
  now += 1s;
  state.tick(now);
  CHECK(proposes(state.found(found_guest{found_guest::presence::absent, false}, now),
                 migration_decision::return_guest));
}

TEST_CASE_FIXTURE(arriving_guest, "a guest whose Finish can't be noted on the disk is given back") {
  receive_everything();
  say(migration_phase::committed);
  CHECK(proposes(state.finished(failure{std::make_error_code(std::errc::no_space_on_device),
                                        "no room for the mark"},
                                now),
                 migration_decision::return_guest));
  say(migration_phase::returned);
  now += 1s;
  CHECK(find<cancel_incoming>(state.tick(now)));
}

TEST_CASE_FIXTURE(arriving_guest,
                  "a clear no to a later Finish says nothing of one whose answer was lost") {
  lose_the_answer_to_finish();
  state.tick(now);
  // The first one is still under way, lets the guest run, and it ends before the next look.
  CHECK(
      find<finish_incoming>(state.found(found_guest{found_guest::presence::incoming, true}, now)));
  state.finished(missing(), now);
  now += 1s;
  CHECK(find<look_for_guest>(state.tick(now)));
  CHECK(
      !find<propose_decision>(state.found(found_guest{found_guest::presence::absent, true}, now)));
}

TEST_CASE_FIXTURE(arriving_guest, "a look that failed waits before the next") {
  word.fresh = false;
  say(migration_phase::committed);
  CHECK(state.found(broken(), now).empty());
  CHECK(state.tick(now).empty());
  now += 200ms;
  CHECK(find<look_for_guest>(state.tick(now)));
}

TEST_CASE_FIXTURE(arriving_guest, "what was seen before the guest was given back tells nothing") {
  word.fresh = false;
  CHECK(find<look_for_guest>(say(migration_phase::committed)));
  say(migration_phase::returned);
  CHECK(!find<report_migration>(state.found(found_guest{found_guest::presence::here, true}, now)));
  now += 200ms;
  CHECK(find<cancel_incoming>(state.tick(now)));
}

TEST_CASE_FIXTURE(arriving_guest, "while a guest is being given back nothing is done to it") {
  word.fresh = false;
  say(migration_phase::committed);
  state.found(found_guest{found_guest::presence::absent, false}, now);
  now += 1s;
  CHECK(state.tick(now).empty());
  CHECK(find<cancel_incoming>(say(migration_phase::returned)));
}

TEST_CASE_FIXTURE(arriving_guest, "what the log shows as finished needs no look") {
  word.fresh = false;
  auto effects = say(migration_phase::finished);
  CHECK(!find<look_for_guest>(effects));
  CHECK(find<report_migration>(effects));
}

TEST_CASE_FIXTURE(arriving_guest, "a report is repeated after a pause, until our own part shows") {
  word.fresh = false;
  CHECK(find<report_migration>(say(migration_phase::finished)));
  word.migration.source_clean = true;
  CHECK(say(migration_phase::finished).empty());
  now += 200ms;
  CHECK(find<report_migration>(state.tick(now)));
  word.migration.destination_clean = true;
  CHECK(find<end_migration>(say(migration_phase::finished)));
}

TEST_CASE_FIXTURE(arriving_guest, "what the pages cost is told until the log knows of a cost") {
  receive_everything();
  say(migration_phase::committed);
  state.finished(std::nullopt, now);
  word.migration.destination_clean = true; // the VM's own report was quicker
  now += 200ms;
  auto effects = say(migration_phase::finished);
  REQUIRE(find<report_migration>(effects));
  CHECK(find<report_migration>(effects)->observation.cost == measured);
  CHECK(!find<end_migration>(effects));
  word.migration.cost = measured;
  CHECK(find<end_migration>(say(migration_phase::finished)));
}

TEST_CASE_FIXTURE(arriving_guest, "a migration that is over ends its actor") {
  SUBCASE("done") {
    CHECK(find<end_migration>(say(migration_phase::done)));
  }
  SUBCASE("rolled back") {
    CHECK(find<end_migration>(say(migration_phase::rolled_back)));
  }
}
