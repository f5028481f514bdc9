#include "actors/replica/lease_watch.hpp"
#include "messages/lease_margins.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const lease_watch::time_point start{1h};

lease_record lease(uint64_t renewal, bool expired = false) {
  lease_record out;
  out.host = {{0, 1}};
  out.renewal = renewal;
  out.term = 10s;
  out.expired = expired;
  return out;
}

} // namespace

/// 10 s, two parts in a thousand of it, and the guard's and the kill's seconds.
constexpr auto wait = 13'020ms;

TEST_CASE("the leader waits longer than the holder: for the drift, the guard, the kill") {
  CHECK(lease_expires_after(10s) == wait);
  CHECK(lease_expires_after(0s) == lease_guard + lease_kill_time);
  CHECK(lease_expires_after(1ms) == 2ms + lease_guard + lease_kill_time); // never rounded down
  // A holder whose clock is slow, a leader whose clock is fast, by the most that is
  // allowed: the last guest is dead before the leader says so.
  constexpr double drift = 1.0 / lease_drift_is_one_in;
  for (std::chrono::milliseconds term : {1s, 10s, 600s}) {
    const auto dead = static_cast<double>((term + lease_kill_time).count()) * (1 + drift);
    const auto said = static_cast<double>(lease_expires_after(term).count()) / (1 + drift);
    CHECK(said > dead);
  }
}

TEST_CASE("a lease that is renewed in time never ends") {
  lease_watch watch;
  for (uint64_t n = 1; n < 100; ++n)
    CHECK(watch.look({lease(n)}, start + n * (wait - 1ms)).empty());
}

TEST_CASE("a lease ends by when its renewal was seen, whatever the log's clock says") {
  lease_watch watch;
  auto old = lease(7);
  old.granted = log_time{1ms}; // long ago, by somebody's clock
  CHECK(watch.look({old}, start).empty());
  CHECK(watch.look({old}, start + wait - 1ms).empty());
  auto over = watch.look({old}, start + wait);
  REQUIRE(over.size() == 1);
  CHECK(over.front().renewal == 7);
  CHECK(over.front().host == old.host);
}

TEST_CASE("a new leader gives the full term again") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  watch.forget();
  CHECK(watch.look({lease(7)}, start + wait).empty());
  CHECK(watch.look({lease(7)}, start + 2 * wait - 1ms).empty());
  CHECK(watch.look({lease(7)}, start + 2 * wait).size() == 1);
}

TEST_CASE("an end that got lost is proposed again, not at every look") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  CHECK(watch.look({lease(7)}, start + wait).size() == 1);
  CHECK(watch.look({lease(7)}, start + wait + 500ms).empty());
  CHECK(watch.look({lease(7)}, start + wait + 1s).size() == 1);
}

TEST_CASE("an ended lease is left alone, and counts anew when it is renewed") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  CHECK(watch.look({lease(7, true)}, start + 20s).empty());
  CHECK(watch.look({lease(8)}, start + 30s).empty());
  CHECK(watch.look({lease(8)}, start + 30s + wait - 1ms).empty());
  CHECK(watch.look({lease(8)}, start + 30s + wait).size() == 1);
}
