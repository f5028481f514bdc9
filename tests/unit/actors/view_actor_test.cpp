#include "actors/view/view.hpp"
#include "view_records.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A view's actor and a feed of a few lines, on virtual time.
struct view_fixture {
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  config cfg;
  caf::actor_system system{cfg};
  caf::scheduler::test_coordinator& scheduler
      = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::shared_ptr<view_table> table = std::make_shared<view_table>();
  std::map<std::string, feed_listing> pages; ///< by where they start
  std::map<uint64_t, feed_changes> changes;  ///< by the revision they follow
  bool answers = true;
  feed_source_actor feed;
  view_actor copy;

  view_fixture() {
    feed
        = system.spawn([this](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
            return {
                [this, self](const list_request& x) -> caf::result<feed_listing> {
                  if (!answers)
                    return self->make_response_promise<feed_listing>();
                  return pages[x.from];
                },
                [this, self](const pull_request& x) -> caf::result<feed_changes> {
                  if (!answers || !changes.contains(x.after))
                    return self->make_response_promise<feed_changes>(); // waits for the next one
                  return changes[x.after];
                },
                [](const migration_progress&) {},
            };
          });
    start();
  }

  ~view_fixture() {
    caf::anon_send_exit(copy, caf::exit_reason::kill);
    caf::anon_send_exit(feed, caf::exit_reason::kill);
    scheduler.run();
  }

  void start() { copy = system.spawn(view, table, feed, 0.0); }

  void pass(std::chrono::milliseconds time) {
    for (auto t = 0ms; t < time; t += 20ms) {
      scheduler.run();
      scheduler.advance_time(20ms);
    }
    scheduler.run();
  }

  size_t events_after(uint64_t revision) const {
    auto position = table->event_position(revision);
    return position ? table->events(*position, 100)->events.size() : 0;
  }
};

} // namespace

TEST_CASE_FIXTURE(view_fixture, "a view lists all pages, then follows the changes") {
  pages[""] = {10, {vm_of(1, 3)}, "p2"};
  pages["p2"] = {11, {vm_of(2, 11)}, ""};
  changes[10] = {12, false, {{11, vm_of(2, 11), false}, {12, vm_of(3, 12), false}}, {}};
  pass(100ms);
  CHECK(table->complete());
  CHECK(table->revision() == 12);
  CHECK(table->vms({}).items.size() == 3);
  CHECK(events_after(10) == 1); // what the listing had shown already is no event
}

TEST_CASE_FIXTURE(view_fixture, "a view isn't complete before the last page") {
  pages[""] = {10, {vm_of(1, 3)}, "p2"};
  answers = true;
  scheduler.run_once(); // the first tick
  scheduler.run_once(); // the feed's answer
  CHECK(!table->complete());
}

TEST_CASE_FIXTURE(view_fixture, "a view that fell behind lists again, and its events start anew") {
  pages[""] = {10, {vm_of(1, 3), vm_of(2, 4)}, ""};
  changes[10] = {11, false, {{11, vm_of(1, 11), false}}, {}};
  changes[11] = {11, false, {}, {}};
  changes.erase(11);
  pass(100ms);
  CHECK(table->revision() == 11);
  pages[""] = {50, {vm_of(1, 40)}, ""};
  changes[11] = {11, true, {}, {}};
  pass(5s); // the pull that waits times out, the next one learns it
  CHECK(table->revision() == 50);
  CHECK(table->vms({}).items.size() == 1);
  CHECK(!table->event_position(11));
}

TEST_CASE_FIXTURE(view_fixture, "while a killed view lists again its table answers as before") {
  pages[""] = {10, {vm_of(1, 3)}, ""};
  pass(100ms);
  caf::anon_send_exit(copy, caf::exit_reason::kill);
  answers = false;
  start();
  pass(100ms);
  CHECK(table->complete());
  CHECK(table->vms({}).items.size() == 1);
  answers = true;
  pages[""] = {20, {vm_of(1, 15), vm_of(2, 20)}, ""};
  pass(5s);
  CHECK(table->revision() == 20);
  CHECK(table->vms({}).items.size() == 2);
}

TEST_CASE_FIXTURE(view_fixture,
                  "a view that is started again isn't taken back by an older source") {
  pages[""] = {20, {vm_of(1, 15), vm_of(2, 20)}, ""};
  pass(100ms);
  caf::anon_send_exit(copy, caf::exit_reason::kill);
  pages[""] = {18, {vm_of(1, 15)}, ""}; // of a controller that is behind
  start();
  pass(2s);
  CHECK(table->revision() == 20);
  CHECK(table->vms({}).items.size() == 2); // all that came up to there
  pages[""] = {21, {vm_of(1, 15), vm_of(2, 20), vm_of(3, 21)}, ""};
  pass(2s);
  CHECK(table->revision() == 21);
  CHECK(table->vms({}).items.size() == 3);
}

TEST_CASE_FIXTURE(view_fixture, "progress reaches the migration that it is about") {
  migration_record migration;
  migration.id = {uuid_of(70)};
  migration.revision = 5;
  pages[""] = {10, {migration}, ""};
  changes[10] = {11, false, {}, {{migration.id, {}, "precopy", 1, 2, 3, 4, 5}}};
  pass(100ms);
  CHECK(table->migration(migration.id)->json->find("precopy") != std::string::npos);
}
