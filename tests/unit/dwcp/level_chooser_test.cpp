#include "dwcp/codec/level_chooser.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <vector>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr auto far = level_chooser::near;

/// A made-up codec, in plan bytes a lane packs in a second and in what is left of
/// them; and a link.
struct codec_model {
  std::map<int, double> speed{{-4, 800e6}, {1, 400e6}, {3, 200e6}, {6, 60e6}};
  std::map<int, double> left{{0, 1}, {-4, 0.6}, {1, 0.4}, {3, 0.37}, {6, 0.35}};
  double link = 12e6;     ///< bytes in a second
  double source = 5000e6; ///< plan bytes that QEMU gives in a second
  unsigned lanes = 2;
};

/// The levels that were taken in some seconds.
std::vector<int> levels_over(const codec_model& x, int seconds) {
  level_chooser::time_point now{};
  level_chooser chooser{x.lanes, far, now};
  packing_work work;
  std::vector<int> levels;
  for (int tick = 0; tick < seconds * 100; ++tick) {
    now += 10ms;
    const int level = chooser.level();
    const double codec = level == 0 ? 1e12 : x.speed.at(level) * x.lanes;
    const double link = x.link / x.left.at(level);
    const double plan = std::min({codec, link, x.source}) * 0.01;
    work.plan_bytes += static_cast<uint64_t>(plan);
    work.packed_bytes += static_cast<uint64_t>(plan * x.left.at(level));
    if (level != 0)
      work.busy += std::chrono::nanoseconds{static_cast<int64_t>(plan / x.speed.at(level) * 1e9)};
    work.batches += 1;
    chooser.note(link < std::min(codec, x.source));
    levels.push_back(chooser.choose(work, now));
  }
  return levels;
}

} // namespace

TEST_CASE("on a slow link the lanes try as hard as their time allows") {
  CHECK(levels_over({}, 10).back() == 6);
  codec_model weak;
  weak.lanes = 1;
  weak.speed = {{-4, 80e6}, {1, 60e6}, {3, 45e6}, {6, 10e6}};
  const auto levels = levels_over(weak, 20);
  CHECK(levels.back() <= 3);
  CHECK(levels.back() >= 1);
}

TEST_CASE("on a link that is faster than the lanes nothing is compressed") {
  codec_model fast;
  fast.link = 5000e6;
  const auto levels = levels_over(fast, 10);
  CHECK(std::count(levels.end() - 200, levels.end(), 0) == 200);
}

TEST_CASE("what was not compressed is again, once the link carries less than the lanes would") {
  codec_model x;
  x.link = 5000e6;
  level_chooser::time_point now{};
  level_chooser chooser{x.lanes, far, now};
  packing_work work;
  const auto pass = [&](double plan_a_second, double busy, bool waits, int times) {
    for (int i = 0; i < times; ++i) {
      now += 300ms;
      work.batches += 100;
      work.plan_bytes += static_cast<uint64_t>(plan_a_second * 0.3);
      work.busy += std::chrono::nanoseconds{static_cast<int64_t>(busy * 0.3e9 * x.lanes)};
      chooser.note(waits);
      chooser.choose(work, now);
    }
  };
  pass(800e6, 1, false, 2);
  REQUIRE(chooser.level() == 0);
  pass(50e6, 0, true, 1);
  CHECK(chooser.level() == -4);
  // A link that doesn't make anybody wait asks for nothing.
  pass(50e6, 0.05, false, 5);
  CHECK(chooser.level() == -4);
}

TEST_CASE("a level isn't judged by a few batches, or by a moment") {
  level_chooser::time_point now{};
  level_chooser chooser{1, far, now};
  packing_work work;
  work.batches = level_chooser::least_batches - 1;
  work.plan_bytes = 1;
  work.busy = 10s;
  CHECK(chooser.choose(work, now + 10s) == 1);
  work.batches = 100;
  CHECK(chooser.choose(work, now + level_chooser::first_interval - 1ms) == 1);
  CHECK(chooser.choose(work, now + level_chooser::first_interval) == -4);
  work.batches += 100;
  work.busy += 10s;
  now += level_chooser::first_interval;
  CHECK(chooser.choose(work, now + 2 * level_chooser::first_interval - 1ms) == -4);
  CHECK(chooser.choose(work, now + 2 * level_chooser::first_interval) == 0);
}

TEST_CASE("a near link begins with the easiest level, and gets harder ones where it is slow") {
  level_chooser::time_point now{};
  level_chooser chooser{2, level_chooser::near - 1us, now};
  CHECK(chooser.level() == -4);
  packing_work work;
  work.batches = 100;
  work.plan_bytes = 10'000'000;
  work.busy = 10ms;
  chooser.note(true);
  CHECK(chooser.choose(work, now + 1s) == 1);
}

TEST_CASE("what is too much work for one lane isn't for two") {
  for (const unsigned lanes : {1u, 2u}) {
    CAPTURE(lanes);
    level_chooser::time_point now{};
    level_chooser chooser{lanes, far, now};
    packing_work work;
    work.batches = 100;
    work.plan_bytes = 1;
    work.busy = 12s;
    chooser.note(false);
    CHECK(chooser.choose(work, now + 10s) == (lanes == 1 ? -4 : 1));
  }
}
