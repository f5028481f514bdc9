#include "storage/local/log_clock.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const log_time noon{12h};
const log_clock::steady_time start{100s};

} // namespace

TEST_CASE("the log's time is the wall clock's while that goes on") {
  log_clock clock;
  CHECK(clock.stamp(noon, start, noon - 1s) == noon);
  CHECK(clock.stamp(noon + 10ms, start + 10ms, noon) == noon + 10ms);
}

TEST_CASE(
    "the log's time never goes back, and doesn't stand still when a wall clock was set back") {
  log_clock clock;
  CHECK(clock.stamp(noon + 1h, start, noon) == noon + 1h);
  CHECK(clock.stamp(noon, start + 1s, noon + 1h) == noon + 1h + 500ms);
  CHECK(clock.stamp(noon + 1s, start + 2s, noon + 1h + 500ms) == noon + 1h + 1s);
}

TEST_CASE("many stamps within a millisecond don't hold the log's time") {
  log_clock clock;
  auto newest = clock.stamp(noon + 1h, start, noon);
  for (int i = 1; i <= 10'000; ++i)
    newest = clock.stamp(noon, start + i * 1ms, newest);
  CHECK(newest == noon + 1h + 5s);
}

TEST_CASE("a new leader goes on from a log that is ahead of its clocks") {
  log_clock clock;
  CHECK(clock.stamp(noon, start, noon + 1h) == noon + 1h);
  CHECK(clock.stamp(noon + 4s, start + 4s, noon + 1h) == noon + 1h + 2s);
}

TEST_CASE("the wall clock is followed again once it has caught up") {
  log_clock clock;
  auto newest = clock.stamp(noon + 1s, start, noon);
  newest = clock.stamp(noon, start + 1s, newest);
  CHECK(newest == noon + 1s + 500ms);
  CHECK(clock.stamp(noon + 2s, start + 2s, newest) == noon + 2s);
}
