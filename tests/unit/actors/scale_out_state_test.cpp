#include "actors/scale_out/scale_out_state.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A gateway that sends away at a rate, looked at every 200 ms.
struct gateway_of_users {
  scale_out_state state{{.after = 2s, .pause = 60s, .calm = 3s}};
  scale_out_state::time_point start{1h};
  scale_out_state::time_point now = start;
  uint64_t shed = 0;

  /// For so long one is sent away in each of these intervals. How often the command was due.
  int sends_away(std::chrono::milliseconds time, std::chrono::milliseconds every) {
    int runs = 0;
    for (auto t = 0ms; t < time; t += 200ms) {
      if (t % every == 0ms)
        ++shed;
      runs += state.look(shed, now) ? 1 : 0;
      now += 200ms;
    }
    return runs;
  }
  int rests(std::chrono::milliseconds time) {
    int runs = 0;
    for (auto t = 0ms; t < time; t += 200ms) {
      runs += state.look(shed, now) ? 1 : 0;
      now += 200ms;
    }
    return runs;
  }
};

} // namespace

TEST_CASE_FIXTURE(gateway_of_users, "who sends requests away for two seconds asks for one more") {
  CHECK(rests(60s) == 0);
  CHECK(sends_away(2s, 200ms) == 0);
  CHECK(sends_away(400ms, 200ms) == 1);
}

TEST_CASE_FIXTURE(gateway_of_users, "those who come again when they were told to are one crowd") {
  CHECK(sends_away(5s, 1'200ms) == 1);
}

TEST_CASE_FIXTURE(gateway_of_users, "a crowd that is over soon needs none") {
  for (int i = 0; i < 10; ++i) {
    CHECK(sends_away(1s, 200ms) == 0);
    CHECK(rests(4s) == 0);
  }
}

TEST_CASE_FIXTURE(gateway_of_users,
                  "one run at once, and then a pause until that gateway is there") {
  CHECK(sends_away(3s, 200ms) == 1);
  CHECK(sends_away(10min, 200ms) == 0); // it runs
  state.ended(now);
  CHECK(sends_away(59s, 200ms) == 0);
  CHECK(sends_away(2s, 200ms) == 1);
}

TEST_CASE_FIXTURE(gateway_of_users, "what was sent away before it began is no crowd") {
  shed = 1'000;
  state = scale_out_state{{.after = 2s, .pause = 60s, .calm = 3s}, shed};
  CHECK(rests(2'400ms) == 0);
  ++shed; // the first one
  CHECK(rests(10s) == 0);
}
