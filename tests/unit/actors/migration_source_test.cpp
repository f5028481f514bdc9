#include "actors/migration/migration_source.hpp"
#include "tests/unit/actors/migration_effects_sought.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const migration_source::time_point start{1h};

struct leaving_guest {
  migration_source state;
  migration_changed word;
  migration_source::time_point now = start;

  leaving_guest() {
    word.migration.id = {{9, 9}};
    word.migration.vm = {{7, 7}};
    word.migration.epoch = {0, 4};
    word.vm.id = {{7, 7}};
    word.vm.epoch = {0, 4};
    word.fresh = true;
  }

  migration_effects say(migration_phase phase) {
    word.migration.phase = phase;
    return state.changed(word, now);
  }
  migration_effects answer(command_errc error, migration_phase phase) {
    command_outcome outcome;
    outcome.error = error;
    outcome.phase = phase;
    return state.decided(outcome, now);
  }
  /// Up to the proposal to commit.
  migration_effects send_everything() {
    say(migration_phase::reserved);
    state.begun(migration_offer{"<domain/>", "c1"}, now);
    state.prepared(migration_prepared{word.migration.id, "c2", "127.0.0.1:1", {}}, now);
    state.performed(perform_end{"c3", {}}, now);
    return state.acknowledged(std::nullopt, now);
  }
};

} // namespace

TEST_CASE_FIXTURE(
    leaving_guest,
    "a fresh migration begins, asks, performs, tells, and only then proposes to commit") {
  CHECK(find<begin_at_source>(say(migration_phase::reserved)));
  auto asked = state.begun(migration_offer{"<domain/>", "c1"}, now);
  REQUIRE(find<ask_destination_to_prepare>(asked));
  CHECK(find<ask_destination_to_prepare>(asked)->request.cookie == "c1");
  auto performs
      = state.prepared(migration_prepared{word.migration.id, "c2", "127.0.0.1:1", {}}, now);
  REQUIRE(find<perform>(performs));
  auto tells = state.performed(perform_end{"c3", {}}, now);
  REQUIRE(find<tell_destination>(tells));
  CHECK(find<tell_destination>(tells)->message.cookie == "c3");
  CHECK(!find<propose_decision>(tells));
  CHECK(proposes(state.acknowledged(std::nullopt, now), migration_decision::commit));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "a restarted source knows nothing of the stream and proposes to abort") {
  word.fresh = false;
  auto effects = say(migration_phase::reserved);
  CHECK(!find<begin_at_source>(effects));
  CHECK(proposes(effects, migration_decision::abort));
}

TEST_CASE_FIXTURE(leaving_guest, "any failure before the end is a wish to abort") {
  say(migration_phase::reserved);
  SUBCASE("begin") {
    CHECK(proposes(state.begun(broken(), now), migration_decision::abort));
  }
  SUBCASE("prepare") {
    CHECK(proposes(state.prepared(broken(), now), migration_decision::abort));
  }
  SUBCASE("perform") {
    CHECK(proposes(state.performed(broken(), now), migration_decision::abort));
  }
  SUBCASE("tell") {
    state.performed(perform_end{"c3", {}}, now);
    CHECK(proposes(state.acknowledged(broken(), now), migration_decision::abort));
  }
}

TEST_CASE_FIXTURE(leaving_guest, "the guest is resumed here only once the log says aborted") {
  say(migration_phase::reserved);
  CHECK(!find<resume_source>(state.performed(broken(), now)));
  auto effects = answer(command_errc::none, migration_phase::aborted);
  REQUIRE(find<resume_source>(effects));
  CHECK(find<resume_source>(effects)->epoch == epoch{0, 4});
}

TEST_CASE_FIXTURE(leaving_guest, "an abort that lost to the commit is obeyed as a commit") {
  send_everything();
  now += 11s;
  state.tick(now);
  CHECK(!find<resume_source>(answer(command_errc::already_decided, migration_phase::committed)));
  now += 1s;
  auto effects = state.tick(now);
  CHECK(!find<resume_source>(effects));
  CHECK(!find<confirm_at_source>(effects));
  CHECK(!find<propose_decision>(effects));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "the paused source is destroyed only once the guest runs at the destination") {
  send_everything();
  for (const auto& effects :
       {answer(command_errc::none, migration_phase::committed), say(migration_phase::committed)}) {
    CHECK(!find<confirm_at_source>(effects));
    CHECK(!find<resume_source>(effects));
  }
  CHECK(find<confirm_at_source>(say(migration_phase::finished)));
}

TEST_CASE_FIXTURE(leaving_guest, "a guest that was given back goes on here under its new epoch") {
  send_everything();
  answer(command_errc::none, migration_phase::committed);
  word.vm.epoch = {0, 6};
  auto effects = say(migration_phase::returned);
  REQUIRE(find<resume_source>(effects));
  CHECK(find<resume_source>(effects)->epoch == epoch{0, 6});
}

TEST_CASE_FIXTURE(leaving_guest, "a decision that nobody answered is proposed again, the same") {
  CHECK(proposes(send_everything(), migration_decision::commit));
  CHECK(!find<propose_decision>(state.tick(now)));
  state.decided(std::nullopt, now);
  now += 200ms;
  CHECK(proposes(state.tick(now), migration_decision::commit));
}

TEST_CASE_FIXTURE(leaving_guest, "a guest that stays undecided for ten seconds is taken back") {
  send_everything();
  state.decided(std::nullopt, now);
  now += 10'001ms;
  CHECK(proposes(state.tick(now), migration_decision::abort));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "a destination that says nothing keeps no guest paused for longer") {
  say(migration_phase::reserved);
  state.begun(migration_offer{}, now);
  now += 60s;
  state.prepared(migration_prepared{}, now);
  now += 60s;
  CHECK(!find<propose_decision>(state.tick(now))); // it runs, and takes its time
  state.performed(perform_end{"c3", {}}, now);
  now += 10s;
  CHECK(!find<propose_decision>(state.tick(now)));
  now += 1ms;
  CHECK(proposes(state.tick(now), migration_decision::abort));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "an abort by somebody else ends Perform first and resumes after it") {
  say(migration_phase::reserved);
  state.begun(migration_offer{}, now);
  state.prepared(migration_prepared{}, now);
  auto effects = say(migration_phase::aborted);
  CHECK(find<abort_perform>(effects));
  CHECK(!find<resume_source>(effects));
  CHECK(find<resume_source>(state.performed(broken(), now)));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "cleaning is tried until it succeeds, then said until the log shows it") {
  word.fresh = false;
  say(migration_phase::finished);
  CHECK(!find<report_migration>(state.cleaned(broken(), now)));
  now += 1s;
  CHECK(find<confirm_at_source>(state.tick(now)));
  CHECK(find<report_migration>(state.cleaned(std::nullopt, now)));
  now += 1s;
  CHECK(find<report_migration>(state.tick(now)));
  word.migration.source_clean = true;
  now += 1s;
  CHECK(find<end_migration>(say(migration_phase::finished)));
}

TEST_CASE_FIXTURE(leaving_guest, "a migration that is decided when it comes up isn't begun") {
  auto effects = say(migration_phase::aborted);
  CHECK(!find<begin_at_source>(effects));
  CHECK(find<resume_source>(effects));
}

TEST_CASE_FIXTURE(leaving_guest, "once it is aborted no further step is taken") {
  say(migration_phase::reserved);
  SUBCASE("while it begins") {
    say(migration_phase::aborted);
    CHECK(!find<ask_destination_to_prepare>(state.begun(migration_offer{}, now)));
  }
  SUBCASE("while the destination prepares") {
    state.begun(migration_offer{}, now);
    say(migration_phase::aborted);
    CHECK(!find<perform>(state.prepared(migration_prepared{}, now)));
  }
  SUBCASE("while it performs") {
    state.begun(migration_offer{}, now);
    state.prepared(migration_prepared{}, now);
    say(migration_phase::aborted);
    CHECK(!find<tell_destination>(state.performed(perform_end{"c3", {}}, now)));
  }
}

TEST_CASE_FIXTURE(leaving_guest, "a Perform is ended once, and a guest resumed once at a time") {
  say(migration_phase::reserved);
  state.begun(migration_offer{}, now);
  state.prepared(migration_prepared{}, now);
  CHECK(find<abort_perform>(say(migration_phase::aborted)));
  now += 1s;
  CHECK(state.tick(now).empty());
  CHECK(find<resume_source>(state.performed(broken(), now)));
  now += 1s;
  CHECK(state.tick(now).empty());
}

TEST_CASE_FIXTURE(leaving_guest, "cleaning that failed waits before it is tried again") {
  say(migration_phase::aborted);
  CHECK(state.cleaned(broken(), now).empty());
  CHECK(state.tick(now).empty());
  now += 200ms;
  CHECK(find<resume_source>(state.tick(now)));
}

TEST_CASE_FIXTURE(leaving_guest,
                  "the report carries the cost, up to when the guest ran at the destination") {
  say(migration_phase::reserved);
  state.begun(migration_offer{}, now);
  state.prepared(migration_prepared{}, now);
  state.performed(perform_end{"c3", {0ms, 100, 40, 3, true}}, now);
  state.acknowledged(std::nullopt, now);
  now += 1'500ms;
  say(migration_phase::finished);
  now += 1s;
  say(migration_phase::finished);
  auto report = state.cleaned(std::nullopt, now);
  REQUIRE(find<report_migration>(report));
  const auto& cost = find<report_migration>(report)->observation.cost;
  CHECK(cost == migration_cost{1'500ms, 100, 40, 3, true});
}

TEST_CASE_FIXTURE(leaving_guest, "a report is repeated after a pause, until our own part shows") {
  say(migration_phase::finished);
  CHECK(find<report_migration>(state.cleaned(std::nullopt, now)));
  CHECK(state.tick(now).empty());
  word.migration.destination_clean = true;
  CHECK(say(migration_phase::finished).empty());
  now += 200ms;
  CHECK(find<report_migration>(state.tick(now)));
}

TEST_CASE_FIXTURE(leaving_guest, "a migration that is over ends its actor") {
  SUBCASE("done") {
    CHECK(find<end_migration>(say(migration_phase::done)));
  }
  SUBCASE("rolled back") {
    CHECK(find<end_migration>(say(migration_phase::rolled_back)));
  }
}

TEST_CASE_FIXTURE(leaving_guest, "people read how far it is") {
  say(migration_phase::reserved);
  CHECK(state.phase_name() == "preparing");
  state.begun(migration_offer{}, now);
  state.prepared(migration_prepared{}, now);
  CHECK(state.phase_name() == "precopy");
  state.performed(perform_end{"c3", {}}, now);
  state.acknowledged(std::nullopt, now);
  CHECK(state.phase_name() == "switchover");
  answer(command_errc::none, migration_phase::committed);
  CHECK(state.phase_name() == "finishing");
}
