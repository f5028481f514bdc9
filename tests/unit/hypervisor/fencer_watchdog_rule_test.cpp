#include "hypervisor/fencer/watchdog_rule.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using moment = watchdog_rule::time;

std::optional<moment> at(moment deadline) {
  return deadline;
}

} // namespace

TEST_CASE("without a deadline, and far from it, the watchdog has its longest timeout") {
  const watchdog_rule rule{6s};
  CHECK(rule.timeout(100h, std::nullopt, false) == 6s);
  CHECK(rule.timeout(100s, at(110s), false) == 6s);
  CHECK(rule.timeout(100s, at(100s + 6s - lease_kill_time), false) == 6s);
}

TEST_CASE("a pet never lasts longer than guests may take to die after the deadline") {
  const watchdog_rule rule{6s};
  const auto deadline = 100s;
  for (moment now = 90s; now < 110s; now += 10ms) {
    const auto timeout = rule.timeout(now, at(deadline), false);
    CAPTURE(now.count());
    if (timeout) {
      CHECK(*timeout >= 1s);
      CHECK(now + *timeout <= deadline + lease_kill_time);
    } else {
      CHECK(now > deadline + lease_kill_time - 1s);
    }
  }
}

TEST_CASE("past the deadline the watchdog is petted again once all are dead") {
  const watchdog_rule rule{6s};
  CHECK_FALSE(rule.timeout(105s, at(100s), false));
  CHECK(rule.timeout(105s, at(100s), true) == 6s);
}

TEST_CASE("that all were dead after an earlier deadline counts for nothing before the next") {
  const watchdog_rule rule{6s};
  CHECK(rule.timeout(100s, at(101s), true) == 3s);
}

TEST_CASE("the timeout isn't shortened while renewals come, whatever the term") {
  CHECK(watchdog_timeout(10s) == 6s);
  CHECK(watchdog_timeout(1ms) == 1s);
  CHECK(watchdog_timeout(1h) == 10s);
  for (std::chrono::milliseconds term = 100ms; term < 60s; term += 100ms) {
    const auto longest = watchdog_timeout(term);
    CHECK(watchdog_rule{longest}.timeout(0s, at(term - term / 3), false) == longest);
  }
}
