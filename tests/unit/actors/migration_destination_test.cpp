#include "actors/migration/migration_destination.hpp"
#include "dwcp/errors.hpp"
#include "hypervisor/errors.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const migration_destination::time_point start{1h};

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
    state.pages_ended(std::nullopt, now);
    state.told({word.migration.id, "c3"}, now);
  }
};

template <class Effect>
const Effect* find(const migration_effects& effects) {
  for (const auto& effect : effects)
    if (auto* found = std::get_if<Effect>(&effect))
      return found;
  return nullptr;
}

bool proposes(const migration_effects& effects, migration_decision what) {
  auto* proposal = find<propose_decision>(effects);
  return proposal && proposal->command.decision == what;
}

failure broken() {
  return make_failure(dwcp_errc::stream_broken, "the stream broke");
}
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
    auto effects = state.pages_ended(std::nullopt, now);
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
  CHECK(proposes(state.found(found_guest{found_guest::presence::absent, true}, now),
                 migration_decision::return_guest));
}

TEST_CASE_FIXTURE(arriving_guest,
                  "a Finish whose answer was lost is never taken for one that failed") {
  receive_everything();
  say(migration_phase::committed);
  state.finished(make_failure(hypervisor_errc::outcome_unknown, "lost"), now);
  now += 1s;
  state.tick(now);
  CHECK(
      !find<propose_decision>(state.found(found_guest{found_guest::presence::absent, true}, now)));
}
