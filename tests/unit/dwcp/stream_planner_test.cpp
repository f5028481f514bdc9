#include "dwcp/session/stream_planner.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <functional>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A link that carries so many bytes a second over n connections.
using link_rate = std::function<double(unsigned streams)>;

struct planned {
  stream_planner::time_point now{};
  stream_planner plan;
  double carried = 0;
  unsigned streams;

  planned(unsigned begin, unsigned most) : plan{begin, most, now}, streams{begin} {}

  void pass(int seconds, const link_rate& rate, bool waits = true) {
    for (int tenth = 0; tenth < 10 * seconds; ++tenth) {
      now += 100ms;
      carried += rate(streams) / 10;
      plan.note(waits);
      streams = plan.choose(static_cast<uint64_t>(carried), now);
    }
  }
};

double each_carries_a_mib(unsigned streams) {
  return streams * 1048576.0;
}

double full_already(unsigned) {
  return 12e6;
}

} // namespace

TEST_CASE("connections are doubled while that carries more, up to a bound") {
  planned x{2, 16};
  x.pass(20, each_carries_a_mib);
  CHECK(x.streams == 16);
}

TEST_CASE("where the link is full, one try is enough") {
  planned x{2, 16};
  x.pass(60, full_already);
  CHECK(x.streams == 4);
}

TEST_CASE("it stops where the link becomes full") {
  planned x{1, 64};
  x.pass(60, [](unsigned streams) { return std::min(5.0, 1.0 * streams) * 1e6; });
  CHECK(x.streams == 16); // at 8 five are enough, and another try has to show it
}

TEST_CASE("nothing is opened while nothing waits for the link") {
  planned x{2, 16};
  x.pass(60, each_carries_a_mib, false);
  CHECK(x.streams == 2);
}

TEST_CASE("a link that has become another one is tried again") {
  planned x{2, 16};
  x.pass(60, full_already);
  x.pass(20, [](unsigned streams) { return streams * 1e5; });
  CHECK(x.streams == 16);
}

TEST_CASE("where no more can be had nothing is tried") {
  planned x{2, 16};
  x.pass(2, each_carries_a_mib);
  REQUIRE(x.streams == 4);
  x.plan.stop_at(2);
  x.pass(60, each_carries_a_mib);
  CHECK(x.streams == 2);
}
