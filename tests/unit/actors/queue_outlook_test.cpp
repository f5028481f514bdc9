#include "actors/view/queue_outlook.hpp"
#include "actors/view/view_table.hpp"
#include "view_records.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

log_time at(std::chrono::milliseconds x) {
  return log_time{1'000s + x};
}

migration_record moving(uint64_t n, uint64_t from, uint64_t to, migration_phase phase) {
  migration_record x;
  x.id = {uuid_of(n)};
  x.vm = {uuid_of(100 + n)};
  x.from = {uuid_of(from)};
  x.to = {uuid_of(to)};
  x.phase = phase;
  x.created = at(0s);
  if (phase != migration_phase::queued)
    x.begun = at(0s);
  x.revision = 11;
  return x;
}

/// Hosts 1 to 4, each with one migration at a time, unless a test says more.
struct outlook_fixture {
  std::map<node_id, host_record> hosts;
  std::vector<migration_record> waiting;
  std::vector<migration_record> under_way;

  outlook_fixture() {
    for (uint64_t n = 1; n <= 4; ++n) {
      auto host = host_of(n, 1);
      host.migrations_at_once = 1;
      hosts.emplace(host.id, host);
    }
  }

  std::map<migration_id, queue_prospect> look(std::chrono::milliseconds mean) const {
    std::vector<const migration_record*> first;
    std::vector<const migration_record*> second;
    for (const auto& each : waiting)
      first.push_back(&each);
    for (const auto& each : under_way)
      second.push_back(&each);
    return prospects(first, second, mean, [this](node_id id) { return &hosts.at(id); });
  }
};

constexpr auto queued = migration_phase::queued;
constexpr auto reserved = migration_phase::reserved;

queue_prospect of(const std::map<migration_id, queue_prospect>& all, uint64_t n) {
  return all.at({uuid_of(n)});
}

} // namespace

TEST_CASE_FIXTURE(outlook_fixture, "a position is that in the longest line which is needed") {
  under_way = {moving(1, 1, 2, reserved)};
  waiting = {moving(2, 1, 2, queued), moving(3, 1, 3, queued), moving(4, 2, 4, queued),
             moving(5, 3, 4, queued)};
  const auto all = look(10s);
  CHECK(of(all, 2) == queue_prospect{1, at(10s)});
  CHECK(of(all, 3) == queue_prospect{2, at(20s)}); // second of node-1's
  CHECK(of(all, 4) == queue_prospect{2, at(20s)}); // second of node-2's
  CHECK(of(all, 5) == queue_prospect{2, at(30s)}); // behind 3 and 4
}

TEST_CASE_FIXTURE(outlook_fixture, "with two slots the one that is free first counts") {
  hosts.at({uuid_of(1)}).migrations_at_once = 2;
  auto later = moving(2, 1, 3, reserved);
  later.begun = at(4s);
  under_way = {moving(1, 1, 2, reserved), later};
  waiting = {moving(3, 1, 4, queued)};
  CHECK(of(look(10s), 3) == queue_prospect{1, at(10s)});
}

TEST_CASE_FIXTURE(outlook_fixture, "as long as none has ended nobody says when the next begins") {
  under_way = {moving(1, 1, 2, reserved)};
  waiting = {moving(2, 1, 3, queued)};
  CHECK(of(look(0ms), 2) == queue_prospect{1, log_time{}});
}

TEST_CASE("the mean is that of the latest durations") {
  recent_durations all;
  CHECK(all.mean() == 0ms);
  all.add(1h);
  for (int i = 0; i < 32; ++i) {
    all.add(10ms);
    all.add(20ms);
  }
  CHECK(all.mean() == 15ms);
}

TEST_CASE("a migration that waits is read with its position, in lists, too") {
  view_table table;
  for (uint64_t n = 1; n <= 3; ++n) {
    auto host = host_of(n, 1);
    host.migrations_at_once = 1;
    table.listed(host);
  }
  auto ended = moving(1, 2, 3, migration_phase::done);
  ended.cost.duration = 10s;
  table.listed(ended);
  table.changed(moving(2, 1, 2, reserved));
  table.changed(moving(3, 1, 2, queued));
  table.changed(moving(4, 1, 3, queued));
  table.advance(11);
  auto waits = [&](uint64_t n) {
    return json::parse(*table.migration({uuid_of(n)}).value().json).at("queue");
  };
  CHECK(waits(2).is_null());
  CHECK(waits(3).at("position").as_int64() == 1);
  CHECK(waits(3).at("expected_start").as_string() == "1970-01-01T00:16:50.000Z");
  CHECK(waits(4).at("position").as_int64() == 2);
  const auto listed = table.migrations({}).items;
  REQUIRE(listed.size() == 4);
  CHECK(json::parse(*listed.at(3)).at("queue").at("position").as_int64() == 2);

  auto begun = moving(3, 1, 2, reserved);
  begun.revision = 12;
  table.changed(begun);
  CHECK(waits(3).is_null());
  CHECK(waits(4).at("position").as_int64() == 1);
  table.removed(moving(4, 1, 3, queued));
  CHECK(table.migrations({}).items.size() == 3);
}
