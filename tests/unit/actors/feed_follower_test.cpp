#include "actors/feed/feed_follower.hpp"

#include <doctest/doctest.h>
#include <map>
#include <vector>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const feed_follower::clock::time_point start{1h};

vm_record vm(uint64_t id, uint64_t revision) {
  vm_record record;
  record.id = {{id, id}};
  record.revision = revision;
  return record;
}

const node_id some_host{{5, 5}};

struct copy_of_the_state {
  std::map<uuid, uint64_t> revisions;
  std::vector<migration_progress> heard;
  feed_follower follower{
      {some_host},
      true,
      {
          [this](const any_record& x) { revisions[id_of(x)] = std::get<vm_record>(x).revision; },
          [this](const any_record& x) { revisions.erase(id_of(x)); },
          [this](const auto& listed) {
            std::erase_if(revisions, [&](const auto& each) {
              return !listed.contains({record_type::vm, each.first});
            });
          },
          [this](const migration_progress& x) { heard.push_back(x); },
      }};

  const list_request* asks_for_list(feed_follower::clock::time_point now) {
    question = follower.next(now);
    return question ? std::get_if<list_request>(&*question) : nullptr;
  }
  const pull_request* asks_for_changes(feed_follower::clock::time_point now) {
    question = follower.next(now);
    return question ? std::get_if<pull_request>(&*question) : nullptr;
  }
  std::optional<feed_follower::question> question;
};

} // namespace

TEST_CASE_FIXTURE(copy_of_the_state,
                  "it lists page by page, then asks for what came after the first page") {
  auto* first = asks_for_list(start);
  REQUIRE(first);
  CHECK(first->linearizable);
  CHECK(!follower.next(start)); // one question at a time
  follower.listed({100, {vm(1, 90)}, "page2"}, start);
  CHECK(!follower.complete());
  auto* second = asks_for_list(start);
  REQUIRE(second);
  CHECK(second->from == "page2");
  CHECK(!second->linearizable);
  follower.listed({105, {vm(2, 104)}, ""}, start);
  CHECK(follower.complete());
  auto* pull = asks_for_changes(start);
  REQUIRE(pull);
  CHECK(pull->after == 100);
  CHECK(revisions.size() == 2);
}

TEST_CASE_FIXTURE(copy_of_the_state,
                  "told that its place is too old it lists again and forgets what is gone") {
  asks_for_list(start);
  follower.listed({100, {vm(1, 90), vm(2, 91)}, ""}, start);
  asks_for_changes(start);
  feed_changes too_old;
  too_old.too_old = true;
  follower.changed(too_old, start);
  REQUIRE(asks_for_list(start));
  follower.listed({200, {vm(2, 150)}, "page2"}, start);
  CHECK(follower.revision() == 100); // what the other pages will show may be that old
  asks_for_list(start);
  follower.listed({210, {}, ""}, start);
  CHECK(revisions.size() == 1);
  CHECK(follower.revision() == 200);
}

TEST_CASE_FIXTURE(copy_of_the_state,
                  "an unanswered question is asked again, after a growing pause") {
  asks_for_list(start);
  follower.failed(start);
  CHECK(!follower.next(start));
  REQUIRE(asks_for_list(start + 20ms));
  follower.failed(start + 20ms);
  CHECK(!follower.next(start + 50ms));
  CHECK(asks_for_list(start + 60ms));
}

TEST_CASE_FIXTURE(copy_of_the_state, "an answer without changes still moves its place forward") {
  asks_for_list(start);
  follower.listed({100, {}, ""}, start);
  asks_for_changes(start);
  follower.changed({170, false, {}, {}}, start);
  auto* pull = asks_for_changes(start);
  REQUIRE(pull);
  CHECK(pull->after == 170);
}

TEST_CASE_FIXTURE(copy_of_the_state, "every question carries the filter, and a pull waits") {
  auto* list = asks_for_list(start);
  REQUIRE(list);
  CHECK(list->filter.host == some_host);
  follower.listed({100, {}, ""}, start);
  auto* pull = asks_for_changes(start);
  REQUIRE(pull);
  CHECK(pull->filter.host == some_host);
  CHECK(pull->wait > 0ms);
}

TEST_CASE_FIXTURE(copy_of_the_state, "what was removed goes, and progress is passed on") {
  asks_for_list(start);
  follower.listed({100, {vm(1, 90)}, ""}, start);
  asks_for_changes(start);
  follower.changed({101, false, {{101, vm(1, 90), true}}, {migration_progress{}}}, start);
  CHECK(revisions.empty());
  CHECK(heard.size() == 1);
}

TEST_CASE_FIXTURE(copy_of_the_state, "an answer that is behind doesn't move its place back") {
  asks_for_list(start);
  follower.listed({100, {}, ""}, start);
  asks_for_changes(start);
  follower.changed({90, false, {}, {}}, start);
  CHECK(follower.revision() == 100);
}

TEST_CASE_FIXTURE(copy_of_the_state, "an answer ends the growing of pauses, which are bounded") {
  auto now = start;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(asks_for_list(now));
    follower.failed(now);
    now += 500ms;
  }
  REQUIRE(asks_for_list(now));
  follower.listed({100, {}, "page2"}, now);
  CHECK(follower.last_contact() == now);
  REQUIRE(asks_for_list(now));
  follower.failed(now);
  CHECK(asks_for_list(now + 20ms));
}

TEST_CASE_FIXTURE(copy_of_the_state,
                  "pages of two sources: what changed since the older one is asked for") {
  asks_for_list(start);
  follower.listed({100, {vm(1, 90)}, "page2"}, start);
  asks_for_list(start);
  follower.listed({80, {}, "page3"}, start); // of one that is behind the first
  asks_for_list(start);
  follower.listed({120, {}, ""}, start);
  CHECK(follower.revision() == 80);
  auto* pull = asks_for_changes(start);
  REQUIRE(pull);
  CHECK(pull->after == 80);
}

TEST_CASE_FIXTURE(copy_of_the_state, "a listing that is older than the copy is asked for again") {
  asks_for_list(start);
  follower.listed({100, {vm(1, 90)}, ""}, start);
  asks_for_changes(start);
  feed_changes too_old;
  too_old.too_old = true;
  follower.changed(too_old, start);
  REQUIRE(asks_for_list(start));
  follower.listed({95, {}, ""}, start); // of another source
  CHECK(revisions.size() == 1);
  CHECK(follower.revision() == 100);
  CHECK(!follower.next(start));
  REQUIRE(asks_for_list(start + 20ms));
  follower.listed({101, {}, ""}, start + 20ms);
  CHECK(revisions.empty());
}

TEST_CASE("readers don't all list again at the same time") {
  feed_follower follower{{}, false, {{}, {}, [](const auto&) {}, {}}, 0.4};
  follower.next(start);
  follower.listed({100, {}, ""}, start);
  follower.next(start);
  feed_changes too_old;
  too_old.too_old = true;
  follower.changed(too_old, start);
  CHECK(!follower.next(start + 399ms));
  REQUIRE(follower.next(start + 400ms));
  follower.failed(start + 400ms);
  CHECK(!follower.next(start + 415ms));
  CHECK(follower.next(start + 416ms)); // four fifths of 20 ms
}

TEST_CASE("nodes' phases are spread over the whole second") {
  std::map<int, int> tenths;
  for (uint64_t i = 0; i < 1'000; ++i)
    ++tenths[static_cast<int>(phase_of({{0, i}}) * 10)];
  CHECK(tenths.size() == 10);
  for (auto [tenth, count] : tenths)
    CHECK(count > 60);
}

TEST_CASE_FIXTURE(copy_of_the_state, "a copy of an earlier follower isn't taken back") {
  follower.go_on_from(100);
  CHECK(!follower.complete());
  asks_for_list(start);
  follower.listed({99, {vm(1, 90)}, ""}, start);
  CHECK(revisions.empty());
  REQUIRE(asks_for_list(start + 1s));
  follower.listed({100, {vm(1, 90)}, ""}, start + 1s);
  CHECK(follower.revision() == 100);
}
