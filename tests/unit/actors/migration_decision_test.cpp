#include "actors/migration/decision.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct open_decision {
  decision state;
  migration_record record;
  decision::time_point now{1h};

  open_decision() {
    record.id = {{9, 9}};
    record.epoch = {0, 4};
    state.record_changed(record);
  }

  std::optional<decide_migration> proposed() {
    auto proposal = state.next(now);
    return proposal ? std::optional{proposal->command} : std::nullopt;
  }
  void answer(command_errc error, migration_phase phase) {
    command_outcome outcome;
    outcome.error = error;
    outcome.phase = phase;
    state.answered(outcome, now);
  }
  void show(migration_phase phase) {
    record.phase = phase;
    state.record_changed(record);
  }
};

} // namespace

TEST_CASE("before the feed has shown the migration it isn't known") {
  decision state;
  CHECK(!state.known());
}

TEST_CASE_FIXTURE(open_decision,
                  "a proposal names the migration, the guest's epoch and the reason") {
  CHECK(!proposed()); // nobody wishes for one
  state.wish(migration_decision::abort, "the stream broke");
  auto command = proposed();
  REQUIRE(command);
  CHECK(command->migration == record.id);
  CHECK(command->epoch == epoch{0, 4});
  CHECK(command->decision == migration_decision::abort);
  CHECK(command->reason == "the stream broke");
}

TEST_CASE_FIXTURE(open_decision, "the first reason for a wish stays, another wish replaces it") {
  state.wish(migration_decision::commit, {});
  state.wish(migration_decision::abort, "the stream broke");
  state.wish(migration_decision::abort, "it was not decided in time");
  CHECK(proposed()->reason == "the stream broke");
}

TEST_CASE_FIXTURE(open_decision, "one proposal is out at a time, and the next waits a little") {
  state.wish(migration_decision::commit, {});
  REQUIRE(proposed());
  now += 1s;
  CHECK(!proposed());
  state.answered(std::nullopt, now);
  CHECK(!proposed());
  now += 100ms;
  CHECK(proposed());
}

TEST_CASE_FIXTURE(open_decision, "only the log's own word on the migration counts as an answer") {
  state.wish(migration_decision::commit, {});
  proposed();
  answer(command_errc::stale_epoch, migration_phase::committed);
  CHECK(state.phase() == migration_phase::reserved);
  answer(command_errc::already_decided, migration_phase::aborted);
  CHECK(state.phase() == migration_phase::aborted);
}

TEST_CASE_FIXTURE(open_decision, "a feed that is behind the answer takes nothing back") {
  state.wish(migration_decision::commit, {});
  proposed();
  answer(command_errc::none, migration_phase::committed);
  show(migration_phase::reserved);
  CHECK(state.phase() == migration_phase::committed);
  show(migration_phase::finished);
  CHECK(state.phase() == migration_phase::finished);
}

TEST_CASE_FIXTURE(open_decision, "what is decided isn't proposed again") {
  state.wish(migration_decision::abort, "the stream broke");
  show(migration_phase::committed);
  CHECK(!proposed());
}

TEST_CASE_FIXTURE(open_decision, "a guest is given back only after the commit") {
  state.wish(migration_decision::return_guest, "it never ran");
  CHECK(!proposed());
  show(migration_phase::committed);
  CHECK(proposed());
  answer(command_errc::none, migration_phase::returned);
  now += 1s;
  CHECK(!proposed());
}
