#include "dwcp/session/link_share.hpp"

#include <array>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t rate = 1'000'000; // bytes a second

/// Sessions that send parts of 10 kB whenever they may, on a clock of the test's.
struct busy_sessions {
  weighted_budget budget{rate};
  weighted_budget::time_point now{1h};
  std::array<uint64_t, 3> sent{};

  /// Those that have something to send do so for so long.
  void run(std::chrono::milliseconds time, std::initializer_list<size_t> senders) {
    for (const auto end = now + time; now < end; now += 1ms)
      for (const auto each : senders)
        if (budget.may_send_at(each, now) <= now) {
          budget.sent(each, 10'000, now);
          sent.at(each) += 10'000;
        }
  }
  [[nodiscard]] double share(size_t one, size_t other) const {
    return static_cast<double>(sent.at(one)) / static_cast<double>(sent.at(other));
  }
};

} // namespace

TEST_CASE_FIXTURE(busy_sessions, "one session alone has all of it, and no more") {
  budget.join(0, 1, now);
  budget.join(1, 4, now); // which has nothing to send
  run(10s, {0});
  CHECK(sent[0] == doctest::Approx(10.0 * rate).epsilon(0.03));
}

TEST_CASE_FIXTURE(busy_sessions, "sessions share it by their weight, and use all of it") {
  budget.join(0, 1, now);
  budget.join(1, 2, now);
  budget.join(2, 4, now);
  run(10s, {0, 1, 2});
  CHECK(share(1, 0) == doctest::Approx(2).epsilon(0.05));
  CHECK(share(2, 0) == doctest::Approx(4).epsilon(0.05));
  CHECK(sent[0] + sent[1] + sent[2] == doctest::Approx(10.0 * rate).epsilon(0.03));
  budget.leave(2, now);
  sent = {};
  run(10s, {0, 1});
  CHECK(share(1, 0) == doctest::Approx(2).epsilon(0.05));
  CHECK(sent[0] + sent[1] == doctest::Approx(10.0 * rate).epsilon(0.03));
}

TEST_CASE_FIXTURE(busy_sessions, "who rests saves nothing up") {
  budget.join(0, 1, now);
  now += 1h;
  run(100ms, {0});
  CHECK(sent[0] <= rate / 10 + rate / 20 + 10'000); // its time's, and a burst
}

TEST_CASE_FIXTURE(busy_sessions, "who has sent too much waits until it is paid off") {
  budget.join(0, 1, now);
  budget.sent(0, rate, now);
  const auto turn = budget.may_send_at(0, now);
  CHECK(turn > now + 900ms);
  CHECK(turn <= now + 1s);
  now = turn;
  CHECK(budget.may_send_at(0, now) <= now + 1us);
}

TEST_CASE("without a bound nobody waits") {
  const auto share = link_share::make(0);
  link_share::member one{share, 1};
  one.sent(1u << 30);
  const auto turn = one.may_send_at();
  CHECK(turn <= std::chrono::steady_clock::now());
}
