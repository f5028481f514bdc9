#include "actors/view/view_table.hpp"
#include "view_records.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <optional>

using namespace novacron;
namespace json = boost::json;

namespace {

struct events_fixture {
  view_table table{view_limits{4, 10}};

  events_fixture() {
    table.listed(vm_of(1, 10));
    table.keep_only({{record_type::vm, uuid_of(1)}});
    table.advance(10);
  }

  void change(uint64_t revision) {
    table.changed(vm_of(1, revision));
    table.advance(revision);
  }

  /// Revisions of the events after `revision`.
  std::vector<uint64_t> after(uint64_t revision) const {
    std::vector<uint64_t> result;
    auto slice = table.events(*table.event_position(revision), 100);
    for (const auto& event : slice->events)
      result.push_back(event.revision);
    return result;
  }
};

using revisions = std::vector<uint64_t>;

} // namespace

TEST_CASE_FIXTURE(events_fixture, "events go on after any revision that is still kept") {
  change(11);
  change(13);
  CHECK(after(10) == revisions{11, 13});
  CHECK(after(11) == revisions{13});
  CHECK(after(12) == revisions{13});
  CHECK(after(13).empty());
  CHECK(after(99).empty());
}

TEST_CASE_FIXTURE(events_fixture, "a revision whose later events were dropped is too old") {
  for (uint64_t revision = 11; revision <= 16; ++revision)
    change(revision);
  CHECK(!table.event_position(10));
  CHECK(!table.event_position(11));
  CHECK(after(12) == revisions{13, 14, 15, 16});
}

TEST_CASE("events are kept up to so many bytes, and come in slices of at most a mebibyte") {
  event_ring ring{100, 3u << 20};
  const auto large = std::make_shared<const std::string>(700'000, 'x');
  for (uint64_t revision = 1; revision <= 6; ++revision)
    ring.push({revision, large});
  CHECK(!ring.position_after(1));
  REQUIRE(ring.position_after(2));
  auto slice = ring.read(*ring.position_after(2), 100);
  REQUIRE(slice->events.size() == 1); // two would be more
  CHECK(slice->events[0].revision == 3);
  CHECK(slice->next == *ring.position_after(3));
  ring.push({7, std::make_shared<const std::string>(2u << 20, 'x')});
  CHECK(ring.read(*ring.position_after(6), 100)->events.size() == 1);
  ring.reset(7);
  ring.push({8, large});
  CHECK(ring.read(*ring.position_after(7), 100)->events.size() == 1);
}

TEST_CASE(
    "a slice holds all of a revision or none of it, so that its last one is a place to go on") {
  event_ring ring{100, 8u << 20};
  const auto small = std::make_shared<const std::string>(100, 'x');
  for (uint64_t revision : {1, 1, 1, 2, 2, 3})
    ring.push({revision, small});
  const auto begin = *ring.position_after(0);
  const auto some = ring.read(begin, 2); // more than was asked for
  REQUIRE(some->events.size() == 3);
  CHECK(some->next == *ring.position_after(1));
  CHECK(ring.read(some->next, 2)->events.size() == 2);
  const auto large = std::make_shared<const std::string>(700'000, 'x');
  for (uint64_t revision : {4, 4, 5})
    ring.push({revision, large});
  CHECK(ring.read(*ring.position_after(3), 100)->events.size() == 2);

  const auto all = ring.read(begin, 6)->events; // 101 bytes each
  CHECK(whole_revisions(all, 302).empty());
  CHECK(whole_revisions(all, 303).size() == 3);
  CHECK(whole_revisions(all, 504).size() == 3);
  CHECK(whole_revisions(all, 505).size() == 5);
  CHECK(whole_revisions(all, 10'000).size() == 6);
}

TEST_CASE_FIXTURE(events_fixture, "what was listed can't be resumed event by event") {
  CHECK(!table.event_position(9));
  CHECK(table.event_position(10));
}

TEST_CASE_FIXTURE(events_fixture, "a reader that had everything is told of a new listing") {
  change(11);
  auto reader = table.event_end();
  table.listed(vm_of(1, 20));
  table.keep_only({{record_type::vm, uuid_of(1)}});
  table.advance(20);
  CHECK(!table.events(reader, 10));
  CHECK(!table.event_position(11));
  CHECK(after(20).empty());
}

TEST_CASE_FIXTURE(events_fixture, "events appear only with their whole revision") {
  table.changed(vm_of(1, 11));
  CHECK(after(10).empty());
  table.changed(vm_of(2, 11));
  table.advance(11);
  CHECK(after(10) == revisions{11, 11});
}

TEST_CASE_FIXTURE(events_fixture, "a removal comes with a revision that isn't too early") {
  table.changed(vm_of(2, 15));
  table.removed(vm_of(1, 10));
  table.changed(vm_of(3, 17));
  table.advance(18);
  CHECK(after(10) == revisions{15, 17, 17});
  auto slice = table.events(*table.event_position(15), 1);
  auto event = json::parse(*slice->events.at(0).json).as_object();
  CHECK(event.at("event").as_string() == "removed");
  CHECK(event.at("type").as_string() == "vm");
  CHECK(event.at("record").at("name").as_string() == "vm-1");
  CHECK(!table.vm({uuid_of(1)}));
}

TEST_CASE_FIXTURE(events_fixture, "a change that is repeated is no event") {
  change(11);
  change(11);
  CHECK(after(10) == revisions{11});
}

TEST_CASE_FIXTURE(events_fixture,
                  "the observer sees what changed, not what was removed or listed") {
  size_t seen = 0;
  table.observe([&seen](const any_record&) { ++seen; });
  change(11);
  CHECK(seen == 1);
  table.removed(vm_of(1, 11));
  table.advance(12);
  CHECK(seen == 1);
  table.changed(vm_of(2, 13)); // overtaken by a new listing before it was published
  table.listed(vm_of(2, 20));
  table.keep_only({{record_type::vm, uuid_of(2)}});
  table.advance(20);
  CHECK(seen == 1);
}

TEST_CASE_FIXTURE(events_fixture, "who waits for an operation is told when it ends or is removed") {
  auto never = view_table::clock::time_point::max();
  std::optional<wait_end> told;
  table.changed(operation_of(30, 11, operation_state::running));
  table.advance(11);
  table.when_operation_ends({uuid_of(30)}, never, [&told](wait_end how) { told = how; });
  CHECK(!told);
  SUBCASE("ends") {
    table.changed(operation_of(30, 12, operation_state::failed));
  }
  SUBCASE("is removed") {
    table.removed(operation_of(30, 11, operation_state::running));
  }
  table.advance(12);
  CHECK(told == wait_end::reached);
}
