#include "chaos_summary.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

using namespace novacron::chaos;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

chaos_summary two_kills() {
  chaos_summary x;
  x.requests = 200;
  x.lost_requests = 10;
  x.acknowledged_writes = 90;
  fault_run first;
  first.detected = 100ms;
  first.recovered = 900ms;
  first.lost_requests = 3;
  first.acknowledged_during = 5;
  fault_run second;
  second.recovered = 300ms;
  second.acknowledged_during = 2;
  x.faults.push_back({"the leader is killed", 2s, {first, second}, {}});
  return x;
}

} // namespace

TEST_CASE("the summary has the form that was agreed on") {
  const auto read = json::parse(to_json(two_kills())).as_object();
  CHECK(read.size() == 8);
  CHECK(read.at("acknowledged_writes").as_int64() == 90);
  CHECK(read.at("writes_lost").as_int64() == 0);
  CHECK(read.at("duplicate_runs").as_int64() == 0);
  CHECK(read.at("operations_stuck").as_int64() == 0);
  CHECK(read.at("availability").as_double() == doctest::Approx(0.95));
  const auto& kill = read.at("faults").as_array().at(0).as_object();
  CHECK(kill.size() == 10);
  CHECK(kill.at("name").as_string() == "the leader is killed");
  CHECK(kill.at("count").as_int64() == 2);
  CHECK(kill.at("detect_ms_p50").as_int64() == 100);
  CHECK(kill.at("detect_ms_max").as_int64() == 100);
  CHECK(kill.at("recover_ms_p50").as_int64() == 300);
  CHECK(kill.at("recover_ms_max").as_int64() == 900);
  CHECK(kill.at("lost_requests").as_int64() == 3);
  CHECK(kill.at("progressed_during").as_int64() == 7);
}

TEST_CASE(
    "a fault that displaces guests says, too, when they had ended and when they ran elsewhere") {
  chaos_summary x;
  fault_run first;
  first.fenced = 9s;
  first.elsewhere = 14s;
  fault_run second;
  second.fenced = 11s;
  x.faults.push_back({"a host is cut off", 15s, {first, second}, {}});
  const auto read = json::parse(to_json(x));
  const auto& cut = read.at("faults").at(0);
  CHECK(cut.at("fenced_ms_p50").as_int64() == 9'000);
  CHECK(cut.at("fenced_ms_max").as_int64() == 11'000);
  CHECK(cut.at("elsewhere_ms_p50").as_int64() == 14'000);
  CHECK(cut.at("elsewhere_ms_max").as_int64() == 14'000);
  CHECK(to_markdown(x).find("| a host is cut off | 2 | 9000 / 11000 | 14000 / 14000 |")
        != std::string::npos);
}

TEST_CASE("the mix of requests is there by kind, with what was beside it") {
  auto x = two_kills();
  x.mix.by_kind = {35, 20, 15, 15, 10, 5};
  x.mix.repeated_creates = 9;
  x.mix.beside = 4;
  CHECK(x.mix.all() == 100);
  const auto read = json::parse(to_json(x));
  const auto& mix = read.at("mix").as_object();
  CHECK(mix.at("list").as_int64() == 35);
  CHECK(mix.at("create").as_int64() == 20);
  CHECK(mix.at("start").as_int64() == 15);
  CHECK(mix.at("stop").as_int64() == 15);
  CHECK(mix.at("delete").as_int64() == 10);
  CHECK(mix.at("migrate").as_int64() == 5);
  CHECK(mix.at("repeated_creates").as_int64() == 9);
  CHECK(mix.at("beside").as_int64() == 4);
  CHECK(to_markdown(x).find("| migrate | 5 | 5.0 | 5 |") != std::string::npos);
}

TEST_CASE("actors that were killed are counted by kind") {
  auto x = two_kills();
  x.actor_kills = {{"guests/vm", 12}, {"services/replica", 3}};
  CHECK(x.actors_killed() == 15);
  const auto read = json::parse(to_json(x));
  CHECK(read.at("actor_kills").at("guests/vm").as_int64() == 12);
  CHECK(read.at("actor_kills").at("services/replica").as_int64() == 3);
  CHECK(to_markdown(x).find("15 actors killed") != std::string::npos);
  CHECK(to_markdown(x).find("| guests/vm | 12 |") != std::string::npos);
}

TEST_CASE("a leader that was cut off says, too, when it stopped taking writes") {
  auto x = two_kills();
  fault_run cut;
  cut.stopped = 700ms;
  x.faults.push_back({"the leader is cut off", 15s, {cut, fault_run{}}, {}});
  const auto read = json::parse(to_json(x));
  CHECK(read.at("faults").at(1).at("stopped_ms_p50").as_int64() == 700);
  CHECK(read.at("faults").at(1).at("stopped_ms_max").as_int64() == 700);
  CHECK_FALSE(read.at("faults").at(0).as_object().contains("stopped_ms_p50"));
  CHECK(to_markdown(x).find("the leader is cut off: it stopped taking writes after 700 / 700 ms")
        != std::string::npos);
}

TEST_CASE("a time that was never measured is null, not zero") {
  chaos_summary x;
  x.faults.push_back({"5 % loss", 0ms, {fault_run{}}, {}});
  const auto read = json::parse(to_json(x));
  CHECK(read.at("faults").at(0).at("detect_ms_p50").is_null());
  CHECK(read.at("faults").at(0).at("recover_ms_max").is_null());
}

TEST_CASE("a fault whose median is longer than its limit is beyond it, whatever its largest was") {
  chaos_summary x;
  fault_run slow;
  slow.recovered = 2001ms;
  fault_run quick;
  quick.recovered = 2000ms;
  x.faults.push_back({"late", 2s, {quick, slow, slow}, {}});
  x.faults.push_back({"late once", 2s, {quick, quick, slow}, {}});
  x.faults.push_back({"without a limit", 0ms, {slow}, {}});
  x.faults.push_back({"never seen to recover", 2s, {fault_run{}}, {}});
  const auto read = json::parse(to_json(x));
  auto of = [&](size_t i) { return read.at("faults").at(i).as_object(); };
  CHECK(of(0).at("within_ms").as_int64() == 2'000);
  CHECK_FALSE(of(0).at("within").as_bool());
  CHECK(of(1).at("within_ms").as_int64() == 2'000);
  CHECK(of(1).at("within").as_bool());
  CHECK(of(2).at("within_ms").is_null());
  CHECK(of(2).at("within").is_null());
  CHECK(of(3).at("within_ms").as_int64() == 2'000);
  CHECK(of(3).at("within").is_null());
  const auto report = to_markdown(x);
  CHECK(report.find("| late | 3 | – / – | 2001 / 2001 | 2000, beyond |") != report.npos);
  CHECK(report.find("| late once | 3 | – / – | 2000 / 2001 | 2000 |") != report.npos);
  CHECK(beyond_limits(x)
        == "beyond its limit: late: recovered after 2001 / 2001 ms (median / largest), "
           "2000 ms are allowed\n");
}

TEST_CASE("any violation, of whatever kind, spoils it") {
  CHECK(two_kills().all_holds());
  for (auto list : {&chaos_summary::writes_lost, &chaos_summary::duplicate_runs,
                    &chaos_summary::operations_stuck, &chaos_summary::other_violations}) {
    auto x = two_kills();
    (x.*list).push_back("vm a is lost");
    CHECK_FALSE(x.all_holds());
    CHECK(to_markdown(x).find("vm a is lost") != std::string::npos);
    CHECK(to_markdown(x).find("Promises were broken") != std::string::npos);
  }
}

TEST_CASE("a percentile is the nearest value that was measured") {
  CHECK_FALSE(percentile({}, 50).has_value());
  CHECK(percentile({7}, 50) == 7);
  CHECK(percentile({4, 1, 3, 2}, 50) == 2);
  CHECK(percentile({4, 1, 3, 2}, 100) == 4);
}
