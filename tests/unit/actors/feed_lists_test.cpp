#include "actors/feed/feed.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <deque>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const list_queue::time_point start{100s};
using turn = list_queue::turn;

using asked_listing = virtual_time::asked<feed_listing>;

/// A feed whose replica answers listings when the test says so.
struct slow_replica : virtual_time {
  std::deque<caf::typed_response_promise<feed_listing>> pages; ///< that it was asked for
  bool fails = false;
  replica_actor replica_fake;
  feed_actor source;

  slow_replica() {
    replica_fake
        = system.spawn([this](replica_actor::pointer self) -> replica_actor::behavior_type {
            return {
                [](const proposal&) { return outcomes{}; },
                [this, self](const list_request&) -> caf::result<feed_listing> {
                  pages.push_back(self->make_response_promise<feed_listing>());
                  return pages.back();
                },
                [](const pull_request&) { return feed_changes{}; },
                [](caf::subscribe_atom, const caf::actor&) {},
                [](status_atom, const caf::actor&) {},
                [](const group_status_request&) { return group_status{}; },
                [](const snapshot_chunk_request&) { return snapshot_chunk{}; },
                [](const back_up&) { return backup_info{}; },
                [this](tick_atom) { answer_first(); },
            };
          });
    source = system.spawn(feed, feed_config{}, replica_fake);
    run();
  }

  ~slow_replica() {
    kill(source);
    kill(replica_fake);
  }

  void answer_one() {
    REQUIRE(!pages.empty());
    caf::anon_send(replica_fake, tick_atom::value); // a promise is kept by its actor only
    run();
  }

  void answer_first() {
    if (fails)
      pages.front().deliver(caf::make_error(caf::sec::runtime_error, "broken"));
    else
      pages.front().deliver(feed_listing{});
    pages.pop_front();
  }
};

} // namespace

TEST_CASE("pages wait for their turn, in their order") {
  list_queue queue{{.reading = 1, .waiting = 2}};
  CHECK(queue.asked(1, start) == turn::now);
  CHECK(queue.asked(2, start) == turn::later);
  CHECK(queue.asked(3, start) == turn::later);
  CHECK(queue.asked(4, start) == turn::never);
  CHECK(queue.ended() == 2);
  CHECK(queue.ended() == 3);
  CHECK(!queue.ended());
  CHECK(queue.asked(5, start) == turn::now);
}

TEST_CASE("a page whose reader has given up is not read") {
  list_queue queue{{.reading = 1, .patience = 100ms}};
  queue.asked(1, start);
  queue.asked(2, start);
  queue.asked(3, start + 50ms);
  CHECK(queue.tick(start + 99ms).empty());
  CHECK(queue.tick(start + 100ms) == std::vector<list_ticket>{2});
  CHECK(queue.ended() == 3);
}

TEST_CASE_FIXTURE(slow_replica, "few pages are read at a time, whatever becomes of them") {
  std::vector<asked_listing> readers;
  for (int i = 0; i < 6; ++i)
    readers.push_back(ask<feed_listing>(source, list_request{}));
  CHECK(pages.size() == 4);
  answer_one();
  CHECK(readers[0].answer().has_value());
  CHECK(pages.size() == 4);
  fails = true;
  answer_one();
  CHECK(!readers[1].answer().has_value());
  fails = false;
  CHECK(pages.size() == 4);
  answer_one();
  CHECK(pages.size() == 3);
}

TEST_CASE_FIXTURE(slow_replica, "listings that wait for the leader don't hold up the others") {
  list_request behind_a_barrier;
  behind_a_barrier.linearizable = true;
  for (int i = 0; i < 10; ++i)
    ask<feed_listing>(source, behind_a_barrier);
  CHECK(pages.size() == 10);
  ask<feed_listing>(source, list_request{});
  CHECK(pages.size() == 11);
}

TEST_CASE_FIXTURE(slow_replica, "who waits too long for a page is told before giving up") {
  std::vector<asked_listing> readers;
  for (int i = 0; i < 5; ++i)
    readers.push_back(ask<feed_listing>(source, list_request{}));
  pass(2'400ms);
  CHECK(!answered(readers[4]));
  pass(200ms);
  CHECK(!readers[4].answer().has_value());
  CHECK(pages.size() == 4);
}

TEST_CASE_FIXTURE(slow_replica, "a killed feed tells those who list") {
  auto reader = ask<feed_listing>(source, list_request{});
  kill(source);
  CHECK(!reader.answer().has_value());
}
