#include "actors/drain/drain.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A state with one VM to move, and a frontend that answers as the test says.
struct one_move : virtual_time {
  std::optional<outcomes> answer; ///< nothing: an error
  size_t orders = 0;
  feed_source_actor feed_fake;
  controller_frontend_actor frontend_fake;
  drain_actor driver;

  one_move() {
    feed_fake
        = system.spawn([](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
            return {
                [](const list_request&) {
                  task_record task;
                  task.id = {{5, 1}};
                  task.revision = 5;
                  task.moves.emplace_back().vm = {{1, 1}};
                  return feed_listing{5, {task}, {}};
                },
                [self](const pull_request&) -> caf::result<feed_changes> {
                  return self->make_response_promise<feed_changes>();
                },
                [](const migration_progress&) {},
            };
          });
    frontend_fake = system.spawn([this]() -> controller_frontend_actor::behavior_type {
      return {
          [](const proposal&) { return outcomes{}; },
          [](const group_status_request&) { return group_status{}; },
          [this](const forwarded_proposal& x) -> caf::result<outcomes> {
            orders += std::holds_alternative<move_vm>(x.what.commands.at(0).body) ? 1 : 0;
            if (!answer)
              return caf::make_error(caf::sec::runtime_error);
            return *answer;
          },
          [](const leadership&) {},
      };
    });
    driver = system.spawn(drain, drain_config{}, feed_fake, frontend_fake, logger{});
  }

  ~one_move() {
    kill(driver);
    kill(feed_fake);
    kill(frontend_fake);
  }
};

} // namespace

TEST_CASE_FIXTURE(one_move, "an order whose answer says nothing of it is given again") {
  SUBCASE("an error") {}
  SUBCASE("no outcome") {
    answer = outcomes{};
  }
  SUBCASE("more than one") {
    answer = outcomes{{2, command_outcome{}}};
  }
  pass(200ms);
  CHECK(orders == 1);
  pass(2s);
  CHECK(orders > 1);
}
