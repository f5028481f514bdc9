#include "actors/feed/feed.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct one_feed : virtual_time {
  feed_listing state;      ///< what the replica lists
  std::vector<change> log; ///< what has changed, in order
  caf::actor subscriber;
  bool replica_fails = false;
  replica_actor replica_fake;
  feed_actor source;

  one_feed() {
    state.revision = 1;
    replica_fake = system.spawn([this](replica_actor::pointer) -> replica_actor::behavior_type {
      return {
          [](const proposal&) { return outcomes{}; },
          [this](const list_request&) { return state; },
          [this](const pull_request& x) -> caf::result<feed_changes> {
            if (replica_fails)
              return caf::make_error(caf::sec::runtime_error, "broken");
            return changes_after(x);
          },
          [this](caf::subscribe_atom, const caf::actor& who) {
            subscriber = who;
            caf::anon_send(who, update_atom::value, state.revision);
          },
          [](status_atom, const caf::actor&) {},
          [](const group_status_request&) { return group_status{}; },
          [](const snapshot_chunk_request&) { return snapshot_chunk{}; },
          [](const back_up&) { return backup_info{}; },
          [](tick_atom) {},
      };
    });
    source = system.spawn(feed, feed_config{}, replica_fake);
    run();
  }

  feed_changes changes_after(const pull_request& x) const {
    feed_changes out;
    out.revision = log.empty() ? 1 : log.back().revision;
    for (const auto& each : log)
      if (each.revision > x.after && x.filter.host.nil())
        out.changes.push_back(each);
    return out;
  }

  void happens(const any_record& record) {
    log.push_back({log.size() + 2, record, false});
    caf::anon_send(subscriber, update_atom::value, log.back().revision);
    run();
  }

  static pull_request after(uint64_t revision) {
    pull_request request;
    request.after = revision;
    request.wait = 1s;
    return request;
  }

  ~one_feed() {
    kill(source);
    kill(replica_fake);
    subscriber = caf::actor{};
  }
};

host_record some_host(uint64_t n) {
  host_record host;
  host.id = {{0, n}};
  host.name = "node-" + std::to_string(n);
  host.state = host_state::up;
  host.memory_mib = 4'096;
  host.vcpus = 4;
  host.images = {"tick"};
  return host;
}

} // namespace

TEST_CASE_FIXTURE(one_feed, "a pull is held until something changes") {
  auto question = ask<feed_changes>(source, after(1));
  CHECK(!answered(question));
  happens(some_host(1));
  auto changes = question.answer();
  REQUIRE(changes.has_value());
  CHECK(changes->changes.size() == 1);
  CHECK(changes->revision == 2);
}

TEST_CASE_FIXTURE(one_feed, "a pull is answered empty after its wait") {
  auto question = ask<feed_changes>(source, after(1));
  pass(990ms);
  CHECK(!answered(question));
  pass(100ms);
  CHECK(question.answer()->changes.empty());
}

TEST_CASE_FIXTURE(one_feed, "a reader that comes late gets what it missed at once") {
  happens(some_host(1));
  happens(some_host(2));
  CHECK(ask<feed_changes>(source, after(1)).answer()->changes.size() == 2);
}

TEST_CASE_FIXTURE(one_feed, "a reader hears that the replica can't be read") {
  replica_fails = true;
  CHECK(!ask<feed_changes>(source, after(0)).answer().has_value());
}

TEST_CASE_FIXTURE(one_feed, "a killed feed tells those who wait") {
  auto question = ask<feed_changes>(source, after(1));
  CHECK(!answered(question));
  kill(source);
  REQUIRE(answered(question));
  CHECK(!question.answer().has_value());
}

TEST_CASE_FIXTURE(one_feed, "listings come from the replica") {
  state.records.emplace_back(some_host(1));
  CHECK(ask<feed_listing>(source, list_request{}).answer()->records.size() == 1);
}

TEST_CASE_FIXTURE(one_feed, "progress reaches a waiting reader") {
  auto question = ask<feed_changes>(source, after(1));
  migration_progress progress;
  progress.round = 3;
  caf::anon_send(source, progress);
  run();
  auto changes = question.answer();
  REQUIRE(changes.has_value());
  REQUIRE(changes->progress.size() == 1);
  CHECK(changes->progress.front().round == 3);
}

TEST_CASE_FIXTURE(one_feed, "a scheduler chooses by what the feed says") {
  place_request request;
  request.spec.image = "tick";
  auto chooser = system.spawn(scheduler, scheduler_config{}, feed_source_actor{source});
  auto early = ask<place_answer>(chooser, request);
  pass(100ms);
  CHECK(ask<place_answer>(chooser, request).answer()->host.nil());
  happens(some_host(7));
  pass(100ms);
  CHECK(ask<place_answer>(chooser, request).answer()->host == node_id{{0, 7}});
  kill(chooser);
}

TEST_CASE_FIXTURE(one_feed, "a scheduler that knows nothing yet says so instead of refusing") {
  auto mute = system.spawn([](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
    return {[self](const list_request&) -> caf::result<feed_listing> {
              return self->make_response_promise<feed_listing>();
            },
            [](const pull_request&) { return feed_changes{}; }, [](const migration_progress&) {}};
  });
  auto chooser = system.spawn(scheduler, scheduler_config{}, mute);
  CHECK(!ask<place_answer>(chooser, place_request{}).answer().has_value());
  kill(chooser);
  kill(mute);
}
