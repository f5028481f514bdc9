#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
using enum migration_phase;

namespace {

/// A guest that runs on node-1 and is asked to move to node-2, as often as it takes.
struct tried_move : test_cluster {
  command_outcome asked;

  explicit tried_move(uint32_t tries = 3) {
    started();
    asked = ask(tries);
  }

  command_outcome ask(uint32_t tries) {
    migration_terms terms;
    terms.tries = tries;
    return run(reserve_migration{move, vm, node_2, 0, next_operation(), terms});
  }
  /// The id of a try, counted from 1.
  static migration_id number(unsigned n) { return n == 1 ? move : next_try(number(n - 1)); }
  const migration_record& attempt(unsigned n) const { return *state.find(number(n)); }
  command_outcome abort(unsigned n, bool may_pass = true) {
    return run(decide_migration{number(n), attempt(n).epoch, migration_decision::abort,
                                "the link broke", may_pass});
  }
  void clean_source(unsigned n) {
    clean(node_1, {}, number(n));
    see(actual_state::running);
  }
  /// It fails by what may pass, and both sides have cleaned up.
  void fails(unsigned n) {
    CHECK(abort(n).ok());
    clean_source(n);
    clean(node_2, {}, number(n));
  }
};

struct untried_move : tried_move {
  untried_move() : tried_move{1} {}
};

} // namespace

TEST_CASE_FIXTURE(tried_move, "a migration that failed by what may pass is tried again, later") {
  fails(1);
  CHECK(attempt(1).phase == rolled_back);
  REQUIRE(state.find(number(2)) != nullptr);
  CHECK(attempt(2).phase == queued);
  CHECK(attempt(2).attempt == 2);
  CHECK(attempt(2).not_before - attempt(2).created == 5s);
  CHECK(attempt(2).reason.find("the link broke") != std::string::npos);
  CHECK(the_vm().migration.nil());
  CHECK(became(asked) == operation_state::running);
  CHECK(state.find(asked.operation)->migration == number(2));
  pass(1s);
  CHECK(attempt(2).phase == queued);
  pass(5s); // by an entry that has nothing to do with it
  CHECK(attempt(2).phase == reserved);
  CHECK(the_vm().migration == number(2));
  CHECK(the_vm().actual == actual_state::migrating);
}

TEST_CASE_FIXTURE(tried_move, "the operation ends well with the try that does") {
  fails(1);
  pass(10s);
  run(decide_migration{number(2), attempt(2).epoch, migration_decision::commit, {}});
  see_on(node_2, the_vm().epoch, actual_state::running);
  clean(node_1, {}, number(2));
  CHECK(attempt(2).phase == done);
  CHECK(attempt(2).reason.empty());
  CHECK(became(asked) == operation_state::succeeded);
}

TEST_CASE_FIXTURE(tried_move, "it fails with the last try, each put off for twice as long") {
  fails(1);
  pass(6s);
  fails(2);
  CHECK(attempt(3).not_before - attempt(3).created == 10s);
  CHECK(became(asked) == operation_state::running);
  pass(11s);
  fails(3);
  CHECK(attempt(3).phase == rolled_back);
  CHECK(state.find(number(4)) == nullptr);
  CHECK(became(asked) == operation_state::failed);
  CHECK(error_of(asked) == "rolled back: the link broke");
  CHECK(the_vm().migration.nil());
}

TEST_CASE("a further try is put off for a minute at most") {
  CHECK(put_off_for(2) == 5s);
  CHECK(put_off_for(3) == 10s);
  CHECK(put_off_for(5) == 40s);
  CHECK(put_off_for(6) == 60s);
  CHECK(put_off_for(4'000'000'000) == 60s);
}

TEST_CASE_FIXTURE(tried_move, "what is called off isn't tried again, in whichever state it is") {
  SUBCASE("under way") {
    CHECK(abort(1, false).ok());
    clean_source(1);
    clean(node_2);
    CHECK(state.find(number(2)) == nullptr);
    CHECK(became(asked) == operation_state::failed);
  }
  SUBCASE("put off") {
    fails(1);
    CHECK(abort(2, false).ok());
    CHECK(attempt(2).phase == rolled_back);
    CHECK(state.find(number(3)) == nullptr);
    CHECK(became(asked) == operation_state::failed);
    CHECK(error_of(asked).find("the last try ended so: the link broke") != std::string::npos);
  }
  SUBCASE("its guest is stopped, before it is tried again") {
    fails(1);
    CHECK(request(requested_state::stopped).ok());
    CHECK(attempt(2).phase == rolled_back);
    CHECK(became(asked) == operation_state::failed);
  }
  SUBCASE("its guest is stopped, before its source has cleaned up") {
    abort(1);
    CHECK(request(requested_state::stopped).ok());
    clean(node_1);
    CHECK(state.find(number(2)) == nullptr);
    CHECK(became(asked) == operation_state::failed);
  }
}

TEST_CASE_FIXTURE(untried_move, "a migration without further tries fails with its first") {
  fails(1);
  CHECK(state.find(number(2)) == nullptr);
  CHECK(became(asked) == operation_state::failed);
}

TEST_CASE_FIXTURE(tried_move, "a try doesn't begin while the destination may hold a copy") {
  abort(1);
  clean_source(1);
  REQUIRE(state.find(number(2)) != nullptr);
  pass(20s);
  CHECK(attempt(2).phase == queued);
  clean(node_2);
  CHECK(attempt(1).phase == rolled_back);
  CHECK(attempt(2).phase == reserved);
  CHECK(state.find(number(3)) == nullptr); // it was one failure
}

TEST_CASE_FIXTURE(tried_move, "a destination may be away meanwhile, and must be there in time") {
  fails(1);
  lose(node_2);
  CHECK(attempt(2).phase == queued);
  SUBCASE("it is back") {
    renew(node_2);
    pass(5s);
    CHECK(attempt(2).phase == reserved);
  }
  SUBCASE("it is not") {
    pass(10s);
    CHECK(attempt(2).phase == rolled_back);
    CHECK(became(asked) == operation_state::failed);
    CHECK(error_of(asked).find("node-2") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(tried_move, "a try whose destination was lost is followed by another") {
  lose(node_2);
  CHECK(attempt(1).phase == aborted);
  clean_source(1);
  renew(node_2);
  clean(node_2);
  pass(5s);
  CHECK(attempt(2).phase == reserved);
}

TEST_CASE_FIXTURE(tried_move, "one that is put off takes nobody's turn") {
  auto small = *state.find(node_1);
  small.migrations_at_once = 1;
  run(register_host{small});
  const auto other = test_id<vm_id>(12);
  const auto other_move = test_id<migration_id>(22);
  create(other, "other", node_1, 64);
  request(requested_state::running, other);
  see(actual_state::running, {}, other);
  fails(1);
  pass(1s);
  CHECK(run(reserve_migration{other_move, other, node_2, 0, next_operation()}).ok());
  CHECK(state.find(other_move)->phase == reserved);
  pass(2min); // it waits for longer than others' patience
  CHECK(attempt(2).phase == queued);
  run(decide_migration{other_move, state.find(other_move)->epoch, migration_decision::abort, {}});
  clean(node_1, {}, other_move);
  CHECK(attempt(2).phase == reserved);
}

TEST_CASE_FIXTURE(tried_move, "a replica that starts anew knows whom it has put off") {
  fails(1);
  cluster_state anew;
  for (const auto& each : state.records())
    anew.load(each);
  for (const auto& each : state.leases())
    anew.load(each);
  anew.loaded(state.revision(), state.now());
  state = anew;
  pass(1s);
  CHECK(attempt(2).phase == queued);
  pass(5s);
  CHECK(attempt(2).phase == reserved);
}

TEST_CASE_FIXTURE(tried_move, "nothing is tried again before all members know how") {
  version = tries_since - 1;
  fails(1);
  CHECK(!attempt(1).may_pass);
  CHECK(state.find(number(2)) == nullptr);
  CHECK(became(asked) == operation_state::failed);
}
