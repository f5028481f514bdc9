#include "actors/leader_only/leader_only.hpp"
#include "actors/recovery/recovery.hpp"
#include "tests/unit/actors/replica_fake.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>
#include <functional>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id lost_host{{0, 1}};
const vm_id vm{{0, 7}};

vm_record lost_vm() {
  vm_record out;
  out.id = vm;
  out.host = lost_host;
  out.epoch = {3, 7};
  out.requested = requested_state::running;
  out.actual = actual_state::lost;
  out.fenced = true;
  out.revision = 5;
  return out;
}

/// A replica that leads when the test says so, a state in which a VM is lost, and a
/// frontend that keeps what it is asked.
struct one_controller : virtual_time {
  caf::actor told; ///< who leads
  size_t listings = 0;
  bool answers = true;
  command_outcome answer;
  std::vector<replace_vm> orders;
  replica_actor replica_fake;
  feed_source_actor feed_fake;
  controller_frontend_actor frontend_fake;
  leader_only_actor watch;
  caf::actor worker; ///< the latest

  one_controller() {
    replica_fake = system.spawn([this] { return asked_who_leads(told); });
    feed_fake
        = system.spawn([this](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
            return {
                [this](const list_request&) {
                  ++listings;
                  host_record host;
                  host.id = lost_host;
                  host.state = host_state::unreachable;
                  host.lost_lease = 42;
                  host.revision = 5;
                  return feed_listing{5, {host, lost_vm()}, {}};
                },
                [self](const pull_request&) -> caf::result<feed_changes> {
                  return self->make_response_promise<feed_changes>();
                },
                [](const migration_progress&) {},
            };
          });
    frontend_fake = system.spawn([this](controller_frontend_actor::pointer self)
                                     -> controller_frontend_actor::behavior_type {
      return {
          [](const proposal&) { return outcomes{}; },
          [](const group_status_request&) { return group_status{}; },
          [this, self](const forwarded_proposal& x) -> caf::result<outcomes> {
            orders.push_back(std::get<replace_vm>(x.what.commands.at(0).body));
            if (!answers)
              return self->make_response_promise<outcomes>();
            return outcomes{{answer}};
          },
          [](const leadership&) {},
      };
    });
    start();
  }

  ~one_controller() {
    kill(watch);
    kill(replica_fake);
    kill(feed_fake);
    kill(frontend_fake);
    worker = nullptr;
    told = nullptr;
  }

  /// As the node's supervisor does.
  void start() {
    watch = system.spawn(leader_only, "recovery", replica_fake,
                         leader_starter{[this](caf::actor_system& where) {
                           worker = caf::actor_cast<caf::actor>(where.spawn(
                               recovery, recovery_config{}, feed_fake, frontend_fake, logger{}));
                           return worker;
                         }},
                         logger{});
    run();
  }

  void leads(bool here, uint64_t term) {
    caf::anon_send(told, leadership{here, here ? node_id{{0, 9}} : node_id{}, term});
    pass(200ms);
  }

  bool alive(const caf::actor& who) {
    caf::scoped_actor self{system};
    self->monitor(who);
    run();
    bool down = false;
    self->receive([&](const caf::down_msg&) { down = true; }, caf::after(0s) >> [] {});
    return !down;
  }
};

} // namespace

TEST_CASE_FIXTURE(one_controller, "who doesn't lead doesn't even look") {
  pass(5s);
  leads(false, 3);
  pass(5s);
  CHECK(listings == 0);
  CHECK(orders.empty());
  CHECK(!worker);
}

TEST_CASE_FIXTURE(one_controller, "the leader orders a place for what is lost") {
  leads(true, 3);
  REQUIRE(orders.size() == 1);
  CHECK(orders.front() == replace_vm{vm, {3, 7}, 42, {}, {}});
}

TEST_CASE_FIXTURE(one_controller, "a deposed leader's recovery ends, and orders nothing more") {
  leads(true, 3);
  auto first = worker;
  leads(false, 4);
  CHECK(!alive(first));
  pass(60s);
  CHECK(orders.size() == 1);
  CHECK(alive(caf::actor_cast<caf::actor>(watch)));
}

TEST_CASE_FIXTURE(one_controller, "each term begins with a look at the state") {
  leads(true, 3);
  auto first = worker;
  leads(true, 3); // said again
  CHECK(alive(first));
  CHECK(listings == 1);
  leads(true, 5); // deposed and elected again between two looks
  CHECK(!alive(first));
  CHECK(listings == 2);
  CHECK(orders.size() == 2);
}

TEST_CASE_FIXTURE(one_controller, "killed with an order on its way, the next one orders again") {
  answers = false;
  leads(true, 3);
  REQUIRE(orders.size() == 1);
  SUBCASE("the worker, with whom its keeper ends") {
    kill(worker);
  }
  SUBCASE("its keeper, with whom the worker ends") {
    kill(watch);
  }
  CHECK(!alive(worker));
  CHECK(!alive(caf::actor_cast<caf::actor>(watch)));
  start();
  leads(true, 3);
  REQUIRE(orders.size() == 2);
  CHECK(orders[1] == orders[0]);
}

TEST_CASE_FIXTURE(one_controller, "an order that nobody answers is given again") {
  answers = false;
  leads(true, 3);
  CHECK(orders.size() == 1);
  pass(7s);
  CHECK(orders.size() == 1);
  pass(3s);
  CHECK(orders.size() == 2);
}

TEST_CASE_FIXTURE(one_controller, "without room the log is not asked again and again") {
  answer.detail = "node-2 has 1 MiB free";
  leads(true, 3);
  pass(120s);
  CHECK(orders.size() == 1);
}
