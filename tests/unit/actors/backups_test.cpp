#include "actors/backup/backups.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <caf/actor_cast.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// Stands in for the replica's actor: says that it leads or follows, and makes backups
/// that are nothing but their numbers.
struct one_node : virtual_time {
  bool leads = false;
  bool fails = false;
  bool holds = false; ///< the present backup isn't answered
  std::vector<back_up> made;
  std::vector<caf::response_promise> held;
  std::chrono::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  caf::actor replica;
  backups_actor keeper;

  one_node() {
    replica = system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this](const group_status_request&) {
                group_status status;
                status.node = {{0, 1}};
                status.leads = leads ? status.node : node_id{{0, 2}};
                status.members = {{{{0, 1}}}, {{{0, 2}}}, {{{0, 3}}}};
                return status;
              },
              [this, self](const back_up& what) -> caf::result<backup_info> {
                made.push_back(what);
                if (holds) {
                  held.push_back(self->make_response_promise());
                  return caf::delegated<backup_info>{};
                }
                if (fails)
                  return caf::make_error(caf::sec::runtime_error, "no room");
                backup_info info;
                info.number = static_cast<uint32_t>(made.size());
                info.made_at = now;
                return info;
              },
              [this](caf::ok_atom) { held.front().deliver(backup_info{}); }};
    });
    start();
  }
  ~one_node() {
    kill(keeper);
    kill(replica);
    keeper = backups_actor{};
    replica = nullptr;
  }

  void start() {
    backups_config mine;
    mine.folder = "/nonexistent/backups";
    mine.every = 1h;
    mine.keep = 7;
    mine.now = [this] { return now; };
    keeper = system.spawn(backups, mine, caf::actor_cast<replica_actor>(replica));
    run();
  }
  /// Both clocks.
  void pass_both(std::chrono::seconds time) {
    for (auto t = 0s; t < time; t += 10s) {
      now += 10s;
      coordinator.advance_time(10s);
      run();
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(one_node, "a follower backs up at once, and then each period") {
  REQUIRE(made.size() == 1);
  CHECK(made[0].folder == "/nonexistent/backups");
  CHECK(made[0].keep == 7);
  pass_both(50min);
  CHECK(made.size() == 1);
  pass_both(11min);
  CHECK(made.size() == 2);
}

TEST_CASE_FIXTURE(one_node, "a leader of others waits two periods") {
  leads = true;
  pass_both(110min);
  CHECK(made.size() == 1);
  pass_both(11min);
  CHECK(made.size() == 2);
}

TEST_CASE_FIXTURE(one_node, "one that fails is tried again, a minute later") {
  fails = true;
  pass_both(61min);
  const auto tried = made.size();
  CHECK(tried >= 2);
  pass_both(50s);
  CHECK(made.size() == tried);
  fails = false;
  pass_both(60s);
  CHECK(made.size() == tried + 1);
  pass_both(50min);
  CHECK(made.size() == tried + 1);
}

TEST_CASE_FIXTURE(one_node,
                  "a backup that is asked for is made now, the leader's, too; only one at a time") {
  leads = true;
  auto answer = ask<backup_info>(keeper, back_up_atom::value).answer();
  REQUIRE(answer.has_value());
  CHECK(answer->number == 2);
  holds = true;
  auto first = ask<backup_info>(keeper, back_up_atom::value);
  CHECK(!answered(first));
  CHECK(!ask<backup_info>(keeper, back_up_atom::value).answer().has_value());
  CHECK(made.size() == 3);
  pass_both(20min);
  CHECK(made.size() == 3);
  caf::anon_send(replica, caf::ok_atom::value);
  run();
  CHECK(first.answer().has_value());
}

TEST_CASE_FIXTURE(one_node, "the answer says why there is no backup") {
  fails = true;
  CHECK(!ask<backup_info>(keeper, back_up_atom::value).answer().has_value());
}
