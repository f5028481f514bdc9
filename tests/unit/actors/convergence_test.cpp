#include "actors/migration/convergence.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t mib = 1U << 20U;

/// A guest whose rounds one looks at twice a second, as a migration's actor does.
struct watched {
  convergence course;
  convergence::time_point now{1'000s};
  uint32_t round = 0;

  explicit watched(const migration_terms& terms = {}) : course{terms} {}

  /// The next round begins with so much, and takes so long; what its looks said last.
  convergence::orders lives_through(uint64_t begins_with, std::chrono::milliseconds lasts) {
    ++round;
    convergence::orders last;
    for (auto passed = 0ms; passed < lasts; passed += 500ms) {
      const auto left = begins_with
                        - begins_with * static_cast<uint64_t>(passed / 1ms)
                              / static_cast<uint64_t>(lasts / 1ms);
      last = course.look({round, left}, now);
      now += std::min<std::chrono::milliseconds>(lasts - passed, 500ms);
      if (last.give_up)
        break;
    }
    return last;
  }
};

} // namespace

TEST_CASE("the longest pause is doubled with each round, up to what the guest may bear") {
  watched guest;
  CHECK(guest.lives_through(500 * mib, 10s).pause_limit == 20ms);
  CHECK(guest.lives_through(100 * mib, 2s).pause_limit == 40ms);
  CHECK(guest.lives_through(50 * mib, 1s).pause_limit == 80ms);
  CHECK(guest.lives_through(25 * mib, 500ms).pause_limit == 160ms);
  CHECK(guest.lives_through(12 * mib, 500ms).pause_limit == 300ms);
  CHECK(guest.lives_through(6 * mib, 500ms).pause_limit == 300ms);
}

TEST_CASE("a guest that writes as fast as the link carries is given up when a third round brings "
          "nothing, with the figures") {
  watched guest;
  CHECK(!guest.lives_through(230 * mib, 21s).give_up);
  CHECK(!guest.lives_through(128 * mib, 12s).give_up);
  CHECK(!guest.lives_through(128 * mib, 12s).give_up);
  const auto begun = guest.now;
  const auto third = guest.lives_through(127 * mib, 12s);
  REQUIRE(third.give_up);
  CHECK(guest.now - begun < 1s); // not at the round's end: that it brings nothing shows at once
  CHECK(*third.give_up
        == "the guest writes to its memory as fast as the link carries it: each round leaves "
           "127.0 MiB, which take 12.0 s, and the guest may stand still for 0.3 s; allow it a "
           "longer pause, or stop it for the move");
}

TEST_CASE("a guest that could be stopped within its pause gets all of it before it is given up") {
  watched guest{{migration_intent::gentle, 8s}};
  guest.lives_through(230 * mib, 21s);
  guest.lives_through(64 * mib, 6s);
  CHECK(guest.lives_through(64 * mib, 6s).pause_limit == 80ms);
  const auto stalled = guest.lives_through(64 * mib, 6s);
  CHECK(stalled.pause_limit == 8s);
  CHECK(!stalled.give_up);
  CHECK(guest.course.predicted_pause() == 6s);
}

TEST_CASE("a guest that could be stopped, but never is, isn't waited for without end") {
  watched guest{{migration_intent::gentle, 8s}};
  guest.lives_through(230 * mib, 21s);
  uint32_t rounds = 0;
  while (rounds < 100 && !guest.lives_through(64 * mib, 6s).give_up)
    ++rounds;
  CHECK(rounds == convergence::most_rounds);
}

TEST_CASE("what was seen of the first pass is no rival for the rounds after it") {
  watched guest;
  guest.lives_through(2 * mib, 500ms); // of its end
  guest.lives_through(100 * mib, 9s);
  CHECK(!guest.lives_through(80 * mib, 7s).give_up);
  CHECK(!guest.lives_through(60 * mib, 5s).give_up);
}

TEST_CASE("slow progress is progress") {
  watched guest;
  guest.lives_through(230 * mib, 21s);
  auto left = 200 * mib;
  for (int round = 0; round < 20; ++round, left = left * 85 / 100)
    CHECK(!guest.lives_through(left, 5s).give_up);
}

TEST_CASE("a round that is worse than the best one counts nothing when the next is better") {
  watched guest;
  guest.lives_through(230 * mib, 21s);
  guest.lives_through(100 * mib, 9s);
  CHECK(!guest.lives_through(130 * mib, 12s).give_up);
  CHECK(!guest.lives_through(80 * mib, 7s).give_up);
  CHECK(!guest.lives_through(110 * mib, 10s).give_up);
  CHECK(!guest.lives_through(60 * mib, 5s).give_up);
}

TEST_CASE("rounds shorter than the time between two looks are given their time") {
  // By chance the first look saw the end of a round, and nothing later looks better.
  watched guest;
  guest.lives_through(230 * mib, 2s);
  guest.lives_through(1 * mib, 500ms);
  const auto begun = guest.now;
  bool given_up = false;
  while (!given_up && guest.now - begun < 20s)
    given_up = guest.lives_through(9 * mib, 500ms).give_up.has_value();
  CHECK(given_up);
  CHECK(guest.now - begun >= convergence::least_patience);
}

TEST_CASE("the pause that is predicted is as long as the rounds that bring nothing take") {
  watched guest;
  CHECK(guest.course.predicted_pause() == 0ms);
  guest.lives_through(230 * mib, 21s);
  guest.lives_through(64 * mib, 6s);
  CHECK(guest.course.predicted_pause() == 0ms);
  // Two rounds between two looks: each took half of the time.
  guest.lives_through(64 * mib, 500ms);
  guest.round += 1;
  guest.lives_through(64 * mib, 500ms);
  CHECK(guest.course.predicted_pause() == 250ms);
}

TEST_CASE("for speed the guest may stand still for its whole pause at once") {
  watched guest{{migration_intent::speed}};
  CHECK(guest.lives_through(500 * mib, 10s).pause_limit == 1s);
  watched bound{{migration_intent::speed, 2s}};
  CHECK(bound.lives_through(500 * mib, 10s).pause_limit == 2s);
}

TEST_CASE("for a short downtime the pause ends at less than usual") {
  watched guest{{migration_intent::downtime}};
  for (int round = 0; round < 4; ++round)
    guest.lives_through(500 * mib / (1U << static_cast<unsigned>(round)), 500ms);
  CHECK(guest.lives_through(10 * mib, 500ms).pause_limit == 100ms);
}

TEST_CASE("a guest that may be slowed down is given the rounds that takes") {
  watched guest{{migration_intent::downtime}};
  guest.lives_through(230 * mib, 21s);
  uint32_t rounds = 0;
  while (rounds < 100 && !guest.lives_through(128 * mib, 12s).give_up)
    ++rounds;
  CHECK(rounds == convergence::most_rounds);
}

TEST_CASE("a migration ends with its time") {
  watched guest{{migration_intent::gentle, 0ms, 30s}};
  CHECK(!guest.lives_through(230 * mib, 21s).give_up);
  const auto late = guest.lives_through(64 * mib, 12s);
  REQUIRE(late.give_up);
  CHECK(*late.give_up == "its 30.0 s are over; give it more time, or stop the guest for the move");
}

TEST_CASE("a migration's time begins with the first look, though nothing is seen of its rounds") {
  convergence course{{migration_intent::gentle, 0ms, 30s}};
  const convergence::time_point begun{1'000s};
  CHECK(!course.look({}, begun).give_up);
  CHECK(!course.look({}, begun + 29s).give_up);
  CHECK(course.look({}, begun + 30s).give_up);
}
