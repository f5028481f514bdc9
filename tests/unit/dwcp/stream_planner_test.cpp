#include "dwcp/session/stream_planner.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <functional>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A link that carries so many bytes a second by such connections.
using link_rate = std::function<double(const stream_plan&)>;

struct planned {
  stream_planner::time_point now{};
  stream_planner planner;
  stream_planner::link_figures figures{0, {0, 0, 20ms, 20ms}};
  stream_plan plan;
  bool waits = true;
  uint64_t lost_of_1000 = 10;
  bool ever_other = false;
  unsigned most = 0;

  planned(unsigned begin, unsigned at_most, bool has_other = false)
      : planner{begin, at_most, has_other, now}, plan{begin, false} {}

  void pass(int seconds, const link_rate& rate) {
    for (int tenth = 0; tenth < 10 * seconds; ++tenth) {
      now += 100ms;
      figures.carried += static_cast<uint64_t>(rate(plan) / 10);
      figures.path.segments += 1'000;
      figures.path.repeated += lost_of_1000;
      planner.note(waits);
      if (planner.due(now))
        plan = planner.choose(figures, now);
      ever_other = ever_other || plan.other_control;
      most = std::max(most, plan.streams);
    }
  }
};

double each_carries_a_mib(const stream_plan& plan) {
  return plan.streams * 1048576.0;
}

double full_already(const stream_plan&) {
  return 12e6;
}

} // namespace

TEST_CASE("connections are doubled while that carries more, up to a bound") {
  planned x{2, 16};
  x.pass(20, each_carries_a_mib);
  CHECK(x.plan == stream_plan{16, false});
}

TEST_CASE("where more connections carry no more, one try is enough, and is taken back") {
  planned x{2, 16};
  x.pass(60, full_already);
  CHECK(x.most == 4);
  CHECK(x.plan == stream_plan{2, false});
}

TEST_CASE("it stops where the link becomes full") {
  planned x{1, 64};
  x.pass(60, [](const stream_plan& plan) { return std::min(5.0, 1.0 * plan.streams) * 1e6; });
  CHECK(x.most == 16); // at 8 five are enough, and another try has to show it
  CHECK(x.plan.streams == 8);
}

TEST_CASE("nothing is tried while nothing waits for the link") {
  planned x{2, 16, true};
  x.waits = false;
  x.pass(60, each_carries_a_mib);
  CHECK(x.most == 2);
  CHECK(!x.ever_other);
}

TEST_CASE("nothing is tried where no packets get lost, or hardly any") {
  planned x{2, 16, true};
  x.lost_of_1000 = 0;
  x.pass(60, each_carries_a_mib);
  CHECK(x.most == 2);
  CHECK(!x.ever_other);
  x.figures.path.repeated += 1;
  x.pass(60, each_carries_a_mib);
  CHECK(x.most == 2);
}

TEST_CASE("nothing is tried where packets get lost because a queue is full") {
  planned x{2, 16, true};
  x.figures.path.round_trip = 60ms;
  x.pass(60, each_carries_a_mib);
  CHECK(x.most == 2);
  CHECK(!x.ever_other);
}

TEST_CASE("the other congestion control comes first, and is enough where it helps") {
  planned x{2, 16, true};
  x.pass(60, [](const stream_plan& plan) { return plan.other_control ? 12e6 : 2e6; });
  CHECK(x.plan == stream_plan{2, true});
  CHECK(x.most == 2);
}

TEST_CASE("a congestion control that doesn't help is taken back, and more connections are tried") {
  planned x{2, 16, true};
  x.pass(60, [](const stream_plan& plan) {
    return (plan.other_control ? 0.5 : 1) * 1e6 * plan.streams;
  });
  CHECK(x.ever_other);
  CHECK(x.plan == stream_plan{16, false});
}

TEST_CASE("a try is measured by what was carried before, not by one that carried less") {
  planned x{2, 16, true};
  x.pass(60, [](const stream_plan& plan) { return plan.other_control ? 1e6 : 4e6; });
  CHECK(x.plan == stream_plan{2, false});
}

TEST_CASE("where the other congestion control can't be had more connections are tried") {
  planned x{2, 16, true};
  x.pass(1, each_carries_a_mib);
  REQUIRE(x.plan == stream_plan{2, true});
  x.planner.no_other_control();
  x.pass(20, each_carries_a_mib);
  CHECK(x.plan == stream_plan{16, false});
}

TEST_CASE("a link that has become another one is tried again") {
  planned x{2, 16};
  x.pass(60, full_already);
  x.pass(20, [](const stream_plan& plan) { return plan.streams * 1e5; });
  CHECK(x.plan.streams == 16);
}

TEST_CASE("a connection that is gone takes its counts with it, and says nothing of the link") {
  planned x{2, 16};
  x.waits = false;
  x.pass(1, full_already);
  x.waits = true;
  x.lost_of_1000 = 0;
  x.figures.path.segments = x.figures.path.repeated = 0;
  x.pass(1, full_already);
  CHECK(x.most == 2);
}

TEST_CASE("where no more can be had nothing is tried") {
  planned x{2, 16};
  x.pass(2, each_carries_a_mib);
  REQUIRE(x.plan.streams == 4);
  x.planner.stop_at(2);
  x.pass(60, each_carries_a_mib);
  CHECK(x.plan.streams == 2);
}
