#include "runtime/demo/summary.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;

namespace {

migration_summary good_migration() {
  return {"node-2", "node-3", "done", 2.5, 180, 120u << 20, 30u << 20, 4.0, true, ""};
}

demo_summary good_run() {
  demo_summary x;
  x.driver = "qemu";
  x.accelerator = "tcg";
  x.nodes = 3;
  x.ticks = 900;
  x.max_tick_gap_ms = 250;
  x.guest_memory_ok = true;
  x.guest_starts = 1;
  x.smallest_stream_bytes = 96u << 20;
  x.migrations = {good_migration(), good_migration()};
  x.kills = {{"the vm's actor", true, 12},
             {"the migration's actor", true, 900},
             {"an agent", true, 800},
             {"the controller", true, 400}};
  x.acknowledged_writes = 40;
  return x;
}

bool fails_with(const demo_summary& x, const std::string& part) {
  const auto wrong = failed_checks(x);
  return wrong.size() == 1 && wrong.front().find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a good run passes every check") {
  CHECK(failed_checks(good_run()).empty());
}

TEST_CASE("a silence of the guest above a second fails the run") {
  auto x = good_run();
  x.max_tick_gap_ms = 1'000;
  CHECK(failed_checks(x).empty());
  x.max_tick_gap_ms = 1'001;
  CHECK(fails_with(x, "silent for 1001 ms"));
}

TEST_CASE("what must not happen fails the run, each by itself") {
  auto x = good_run();
  SUBCASE("no ticks") {
    x.ticks = 0;
    CHECK(fails_with(x, "never ticked"));
  }
  SUBCASE("bad memory") {
    x.guest_memory_ok = false;
    CHECK(fails_with(x, "memory"));
  }
  SUBCASE("a kill that was not tried") {
    x.kills.pop_back();
    CHECK(fails_with(x, "only 3 kills"));
  }
  SUBCASE("a lost write") {
    x.writes_lost = 1;
    CHECK(fails_with(x, "1 of 40 acknowledged writes"));
  }
  SUBCASE("two processes outside a migration") {
    x.doubled_processes = 1;
    CHECK(fails_with(x, "ran twice"));
  }
  SUBCASE("a tick that was heard twice") {
    x.repeated_ticks = 1;
    CHECK(fails_with(x, "ran twice"));
  }
  SUBCASE("a guest that was started again") {
    x.guest_starts = 2;
    CHECK(fails_with(x, "started 2 times"));
  }
  SUBCASE("a way past DWCP") {
    x.qemu_tcp_sockets = 1;
    CHECK(fails_with(x, "TCP socket"));
  }
  SUBCASE("a kill without a recovery") {
    x.kills.front().recovered = false;
    CHECK(fails_with(x, "didn't come back"));
  }
  SUBCASE("a story that could not go on") {
    x.problems.emplace_back("no answer");
    CHECK(fails_with(x, "no answer"));
  }
}

TEST_CASE("a migration is judged by what happened to it") {
  auto x = good_run();
  x.migrations.push_back(good_migration());
  auto& m = x.migrations.back();
  SUBCASE("rolled back after a kill is well") {
    m.outcome = "rolled_back";
    m.chain_ok = false;
    m.disturbed_by = "an actor";
    CHECK(failed_checks(x).empty());
  }
  SUBCASE("rolled back by itself is not") {
    m.outcome = "rolled_back";
    CHECK(fails_with(x, "ended as \"rolled_back\""));
  }
  SUBCASE("one that never ended is not, whatever was killed") {
    m.outcome = "committed";
    m.disturbed_by = "an actor";
    CHECK(fails_with(x, "ended as \"committed\""));
  }
  SUBCASE("done without an agreed digest is not") {
    m.chain_ok = false;
    CHECK(fails_with(x, "digest"));
  }
  SUBCASE("done with less than the guest's memory is not") {
    m.guest_bytes = 1u << 20;
    CHECK(fails_with(x, "pages went another way"));
  }
  SUBCASE("fewer than two committed ones are too few") {
    x.migrations.resize(1);
    CHECK(fails_with(x, "only 1 migrations"));
  }
}

TEST_CASE("summary.json holds what was promised, under these names") {
  auto x = good_run();
  x.kills.push_back({"node-2", false, 0});
  const auto json = boost::json::parse(to_json(x)).as_object();
  std::vector<std::string> keys;
  for (const auto& member : json)
    keys.emplace_back(member.key());
  CHECK(keys
        == std::vector<std::string>{"driver", "accelerator", "nodes", "ticks", "max_tick_gap_ms",
                                    "guest_memory_ok", "migrations", "kills", "acknowledged_writes",
                                    "writes_lost", "duplicate_runs"});
  keys.clear();
  for (const auto& member : json.at("migrations").as_array().front().as_object())
    keys.emplace_back(member.key());
  CHECK(keys
        == std::vector<std::string>{"from", "to", "outcome", "seconds", "tick_gap_ms",
                                    "guest_bytes", "wire_bytes", "ratio", "chain_ok"});
  CHECK(json.at("kills").as_array()[0].as_object().at("recovered_ms").as_int64() == 12);
  CHECK(json.at("kills").as_array()[4].as_object().at("recovered_ms").is_null());
}
