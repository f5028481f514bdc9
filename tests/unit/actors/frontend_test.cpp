#include "actors/frontend/frontend.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct one_frontend : virtual_time {
  bool replica_answers = true;
  std::vector<proposal> entries; ///< as the replica got them
  replica_actor replica_fake;
  scheduler_actor scheduler_fake;
  frontend_actor door; ///< into the log

  one_frontend() {
    replica_fake
        = system.spawn([this](replica_actor::pointer self) -> replica_actor::behavior_type {
            return {
                [this, self](const proposal& x) -> caf::result<outcomes> {
                  entries.push_back(x);
                  if (!replica_answers)
                    return self->make_response_promise<outcomes>();
                  return outcomes{std::vector<command_outcome>(x.commands.size())};
                },
                [](const list_request&) { return feed_listing{}; },
                [](const pull_request&) { return feed_changes{}; },
                [](caf::subscribe_atom, const caf::actor&) {},
                [](status_atom, const caf::actor& who) {
                  caf::anon_send(who, leadership{true, {{0, 1}}, 1});
                },
                [](const group_status_request&) { return group_status{}; },
                [](const snapshot_chunk_request&) { return snapshot_chunk{}; },
                [](const back_up&) { return backup_info{}; },
                [](tick_atom) {},
            };
          });
    scheduler_fake = system.spawn([](scheduler_actor::pointer) -> scheduler_actor::behavior_type {
      return {[](const place_request&) { return place_answer{{{0, 9}}, {}}; }, [](tick_atom) {}};
    });
    door = system.spawn(frontend, frontend_config{}, replica_fake, scheduler_fake,
                        std::shared_ptr<standing_links>{});
    run();
  }

  ~one_frontend() {
    for (auto* each : {&replica_fake})
      kill(*each);
    kill(scheduler_fake);
    kill(door);
  }
};

proposal wishes(size_t count) {
  return {std::vector<command>(count, command{request_state{}, {}})};
}

} // namespace

TEST_CASE_FIXTURE(one_frontend, "callers are answered with the outcomes of their commands") {
  auto answer = ask<outcomes>(door, wishes(3)).answer();
  REQUIRE(answer.has_value());
  CHECK(answer->each.size() == 3);
}

TEST_CASE_FIXTURE(one_frontend, "callers that come together share entries") {
  replica_answers = false;
  ask<outcomes>(door, wishes(1));
  for (int i = 0; i < 10; ++i)
    ask<outcomes>(door, wishes(1));
  CHECK(entries.size() == 1);
  pass(3ms);
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].commands.size() == 10);
}

TEST_CASE_FIXTURE(one_frontend, "a create gets its host from the scheduler") {
  ask<outcomes>(door, proposal{{command{create_vm{}, {}}}});
  REQUIRE(entries.size() == 1);
  CHECK(std::get<create_vm>(entries[0].commands[0].body).host == node_id{{0, 9}});
}

TEST_CASE_FIXTURE(one_frontend,
                  "a replica that is silent leaves the outcome unknown after five seconds") {
  replica_answers = false;
  auto question = ask<outcomes>(door, wishes(1));
  pass(4'900ms);
  CHECK(!answered(question));
  pass(200ms);
  CHECK(question.answer()->each.front().error == command_errc::unknown_outcome);
}

TEST_CASE_FIXTURE(one_frontend, "a replica that died leaves the outcome unknown at once") {
  kill(replica_fake);
  auto question = ask<outcomes>(door, wishes(1));
  CHECK(question.answer()->each.front().error == command_errc::unknown_outcome);
}

TEST_CASE_FIXTURE(one_frontend, "a killed frontend tells those who wait") {
  replica_answers = false;
  auto question = ask<outcomes>(door, wishes(2));
  kill(door);
  auto answer = question.answer();
  REQUIRE(answer.has_value());
  REQUIRE(answer->each.size() == 2);
  CHECK(answer->each[1].error == command_errc::unknown_outcome);
}

TEST_CASE_FIXTURE(one_frontend, "a killed scheduler refuses creates, and nothing else") {
  kill(scheduler_fake);
  auto refused = ask<outcomes>(door, proposal{{command{create_vm{}, {}}}}).answer();
  CHECK(refused->each.front().error == command_errc::overloaded);
  CHECK(ask<outcomes>(door, wishes(1)).answer()->each.front().ok());
}
