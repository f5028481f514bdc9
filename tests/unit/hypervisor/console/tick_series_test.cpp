#include "hypervisor/console/tick_series.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const tick_series::time_point start{1h};

std::string tick(int number, const char* verdict = "ok", int sweep = 0) {
  return "TICK " + std::to_string(number) + " 12.34 mem=" + verdict
         + " 0123456789abcdef sweep=" + std::to_string(sweep) + " written=7\r";
}

} // namespace

TEST_CASE("a tick is read with its number, verdict and sweep; other lines are none") {
  auto x = parse_tick("TICK 42 3.10 mem=ok 00ff sweep=3 written=9");
  REQUIRE(x.has_value());
  CHECK(x->number == 42);
  CHECK(x->memory_ok);
  CHECK(x->checksum == "00ff");
  CHECK(x->sweep == 3);
  CHECK(!parse_tick("TICK 7 1.0 mem=BAD 00")->memory_ok);
  for (const char* line : {"", "TICK", "TICK x 1 mem=ok 0", "TICK 1 1.0 mem= 0",
                           "TICK 1 1.0 mem=ok", "tick 1 1.0 mem=ok 0", "GUEST-READY"})
    CHECK(!parse_tick(line).has_value());
}

TEST_CASE("gaps, missing and repeated ticks are counted") {
  tick_series series;
  series.add_line("Booting from ROM", start);
  series.add_line(tick(1), start);
  series.add_line(tick(2), start + 100ms);
  series.add_line(tick(5), start + 400ms);
  series.add_line(tick(5), start + 450ms);
  series.add_line("TICK 6 1.0 mem", start + 460ms);
  series.add_line(tick(6, "ok", 2), start + 500ms);
  const auto& x = series.summary();
  CHECK(x.ticks == 5);
  CHECK(x.first == 1);
  CHECK(x.latest == 6);
  CHECK(x.missing == 2);
  CHECK(x.repeated == 1);
  CHECK(x.malformed == 1);
  CHECK(x.starts == 1);
  CHECK(x.sweep == 2);
  CHECK(x.largest_gap == 300ms);
  CHECK(x.memory_ok);
}

TEST_CASE("one bad verdict is never forgotten") {
  tick_series series;
  series.add_line(tick(1), start);
  series.add_line(tick(2, "BAD"), start);
  series.add_line(tick(3), start);
  CHECK(!series.summary().memory_ok);
}

TEST_CASE("a guest that begins anew has no gap from before") {
  tick_series series;
  series.add_line(tick(7), start);
  series.add_line(tick(1), start + 60s);
  series.add_line(tick(2), start + 60s + 100ms);
  CHECK(series.summary().starts == 1);
  CHECK(series.summary().repeated == 0);
  CHECK(series.summary().largest_gap == 100ms);
  CHECK(series.largest_gap(start, start + 60s + 100ms) == 100ms);
}

TEST_CASE("a gap is found in the time asked for, and silence after the last tick is one") {
  tick_series series;
  CHECK(series.largest_gap(start, start + 1h) == 0ns);
  series.add_line(tick(1), start);
  series.add_line(tick(2), start + 900ms);
  series.add_line(tick(3), start + 1'000ms);
  series.add_line(tick(4), start + 1'200ms);
  CHECK(series.largest_gap(start, start + 1'200ms) == 900ms);
  CHECK(series.largest_gap(start + 950ms, start + 1'200ms) == 200ms);
  CHECK(series.largest_gap(start + 500ms, start + 600ms) == 900ms);
  CHECK(series.largest_gap(start + 950ms, start + 4'200ms) == 3s);
}
