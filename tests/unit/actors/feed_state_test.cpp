#include "actors/feed/feed_state.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const feed_state::time_point start{1h};
const node_id some_host{{1, 1}};

pull_request after(uint64_t revision, std::chrono::milliseconds wait = 1s, node_id host = {}) {
  pull_request request;
  request.after = revision;
  request.wait = wait;
  request.filter.host = host;
  return request;
}

feed_changes changes(uint64_t revision, bool some) {
  feed_changes out;
  out.revision = revision;
  if (some)
    out.changes.push_back({revision, vm_record{}, false});
  return out;
}

template <class Effect>
const Effect* the(const feed_state::effects& effects) {
  return effects.size() == 1 ? std::get_if<Effect>(&effects.front()) : nullptr;
}

migration_progress round_of(uint64_t migration, uint32_t round) {
  migration_progress progress;
  progress.migration.value.low = migration;
  progress.round = round;
  return progress;
}

} // namespace

TEST_CASE("a reader that is behind is answered at once") {
  feed_state feed;
  feed.applied(9);
  REQUIRE(the<read_changes>(feed.pulled(1, 7, after(3), start)));
  auto out = feed.was_read(1, changes(9, true), start);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.revision == 9);
  CHECK(feed.open_pulls() == 0);
}

TEST_CASE("a reader that is up to date waits for the next change") {
  feed_state feed;
  feed.applied(9);
  CHECK(feed.pulled(1, 7, after(9), start).empty());
  auto out = feed.applied(10);
  REQUIRE(the<read_changes>(out));
  CHECK(the<read_changes>(out)->request.after == 9);
  CHECK(the<read_changes>(out)->request.wait == 0ms);
  CHECK(the<answer_pull>(feed.was_read(1, changes(10, true), start)));
}

TEST_CASE("a reader waits no longer than it wants to") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9), start);
  CHECK(feed.tick(start + 999ms).empty());
  REQUIRE(the<read_changes>(feed.tick(start + 1s)));
  auto out = feed.was_read(1, changes(9, false), start + 1s);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.changes.empty());
  CHECK(the<answer_pull>(out)->changes.revision == 9);
}

TEST_CASE("a reader's place follows entries that change no record, too") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9), start);
  REQUIRE(the<read_changes>(feed.tick(start + 1s)));
  auto out = feed.was_read(1, changes(14, false), start + 1s); // leases, say
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.revision == 14);
}

TEST_CASE("a reader waits no longer than the feed allows") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9, 1h), start);
  CHECK(the<read_changes>(feed.tick(start + 10s)));
  CHECK(the<answer_pull>(feed.was_read(1, changes(9, false), start + 10s)));
}

TEST_CASE("a reader whose filter hides everything moves on all the same") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9, 1s, some_host), start);
  feed.applied(500);
  CHECK(feed.was_read(1, changes(500, false), start).empty());
  REQUIRE(the<read_changes>(feed.tick(start + 1s)));
  auto out = feed.was_read(1, changes(500, false), start + 1s);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.revision == 500);
}

TEST_CASE("a change that is applied during a reading is not missed") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(8), start);
  CHECK(feed.applied(10).empty()); // a reading is under way
  auto out = feed.was_read(1, changes(9, false), start);
  REQUIRE(the<read_changes>(out));
  CHECK(the<read_changes>(out)->request.after == 9);
}

TEST_CASE("a reader whose place is not kept hears so at once") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(1), start);
  auto out
      = feed.was_read(1, {.revision = 9, .too_old = true, .changes = {}, .progress = {}}, start);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.too_old);
}

TEST_CASE("a feed that doesn't know the log yet asks the replica") {
  feed_state feed;
  CHECK(the<read_changes>(feed.pulled(1, 7, after(9), start)));
}

TEST_CASE("more pulls than there is room for are refused") {
  feed_state feed{{.most_pulls = 2}};
  feed.applied(9);
  feed.pulled(1, 7, after(9), start);
  feed.pulled(2, 7, after(9), start);
  CHECK(the<refuse_pull>(feed.pulled(3, 7, after(9), start)));
  feed.tick(start + 1s);
  feed.was_read(1, changes(9, false), start + 1s);
  CHECK(!the<refuse_pull>(feed.pulled(4, 7, after(9), start)));
}

TEST_CASE("progress reaches a waiting reader at once, the latest of each migration, once") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  feed.progressed(round_of(1, 2), start);
  auto out = feed.pulled(1, 7, after(9), start);
  REQUIRE(the<answer_pull>(out));
  REQUIRE(the<answer_pull>(out)->changes.progress.size() == 1);
  CHECK(the<answer_pull>(out)->changes.progress.front().round == 2);
  CHECK(feed.pulled(2, 7, after(9), start).empty()); // has it
  auto next = feed.progressed(round_of(1, 3), start);
  REQUIRE(the<answer_pull>(next));
  CHECK(the<answer_pull>(next)->changes.progress.front().round == 3);
  CHECK(the<answer_pull>(next)->changes.revision == 9);
}

TEST_CASE("each reader hears of the progress") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  CHECK(the<answer_pull>(feed.pulled(1, 7, after(9), start)));
  CHECK(the<answer_pull>(feed.pulled(2, 8, after(9), start)));
}

TEST_CASE("a filtered reader hears nothing of progress") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9, 1s, some_host), start);
  CHECK(feed.progressed(round_of(1, 1), start).empty());
}

TEST_CASE("progress goes along with changes") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  feed.pulled(1, 7, after(3), start);
  auto out = feed.was_read(1, changes(9, true), start);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.progress.size() == 1);
}

TEST_CASE("progress that nobody renews is forgotten after a minute") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  feed.tick(start + 60s);
  CHECK(feed.pulled(1, 7, after(9), start + 60s).empty());
}

TEST_CASE("a filtered reader hears nothing of progress with its changes either") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  feed.pulled(1, 7, after(3, 1s, some_host), start);
  auto out = feed.was_read(1, changes(9, true), start);
  REQUIRE(the<answer_pull>(out));
  CHECK(the<answer_pull>(out)->changes.progress.empty());
}

TEST_CASE("a reader hears only the news that it hasn't heard") {
  feed_state feed;
  feed.applied(9);
  feed.progressed(round_of(1, 1), start);
  feed.pulled(1, 7, after(9), start);
  feed.pulled(2, 7, after(9), start);
  auto out = feed.progressed(round_of(2, 5), start);
  REQUIRE(the<answer_pull>(out));
  REQUIRE(the<answer_pull>(out)->changes.progress.size() == 1);
  CHECK(the<answer_pull>(out)->changes.progress.front().round == 5);
}

TEST_CASE("before the replica's revision is known it is asked") {
  feed_state feed;
  CHECK(the<read_changes>(feed.pulled(1, 7, after(0), start)));
}

TEST_CASE("a pull that couldn't be read is over") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(3), start);
  feed.not_read(1);
  CHECK(feed.open_pulls() == 0);
}

TEST_CASE("an applied revision that comes late changes nothing") {
  feed_state feed;
  feed.applied(9);
  feed.applied(5);
  CHECK(feed.pulled(1, 7, after(9), start).empty());
}

TEST_CASE("of too many migrations the one that was silent longest is forgotten") {
  feed_config config;
  config.most_progress = 2;
  feed_state feed{config};
  feed.applied(9);
  for (uint64_t i = 1; i <= 3; ++i)
    feed.progressed(round_of(i, static_cast<uint32_t>(i)), start);
  auto out = feed.pulled(1, 7, after(9), start);
  REQUIRE(the<answer_pull>(out));
  const auto& progress = the<answer_pull>(out)->changes.progress;
  CHECK(progress.size() == 2);
  CHECK(std::ranges::none_of(progress, [](const auto& each) { return each.round == 1; }));
}

TEST_CASE("a pull that is being read is answered by that alone") {
  feed_state feed;
  feed.applied(9);
  REQUIRE(the<read_changes>(feed.pulled(1, 7, after(3), start)));
  CHECK(feed.progressed(round_of(1, 1), start).empty());
  CHECK(feed.tick(start + 2s).empty());
  CHECK(the<answer_pull>(feed.was_read(1, changes(9, true), start)));
}

TEST_CASE("readers that don't come back are forgotten after a minute") {
  feed_state feed;
  feed.applied(9);
  feed.pulled(1, 7, after(9), start);
  CHECK(feed.known_readers() == 1);
  feed.tick(start + 59s);
  CHECK(feed.known_readers() == 1);
  feed.tick(start + 60s);
  CHECK(feed.known_readers() == 0);
}
