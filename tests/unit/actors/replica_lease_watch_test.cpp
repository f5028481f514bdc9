#include "actors/replica/lease_watch.hpp"

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

TEST_CASE("a lease that is renewed in time never ends") {
  lease_watch watch;
  for (uint64_t n = 1; n < 100; ++n)
    CHECK(watch.look({lease(n)}, start + n * 9'999ms).empty());
}

TEST_CASE("a lease ends its term after its renewal was seen, whatever the log's clock says") {
  lease_watch watch;
  auto old = lease(7);
  old.granted = log_time{1ms}; // long ago, by somebody's clock
  CHECK(watch.look({old}, start).empty());
  CHECK(watch.look({old}, start + 9'999ms).empty());
  auto over = watch.look({old}, start + 10s);
  REQUIRE(over.size() == 1);
  CHECK(over.front().renewal == 7);
  CHECK(over.front().host == old.host);
}

TEST_CASE("a new leader gives the full term again") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  watch.forget();
  CHECK(watch.look({lease(7)}, start + 10s).empty());
  CHECK(watch.look({lease(7)}, start + 20s).size() == 1);
}

TEST_CASE("an end that got lost is proposed again, not at every look") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  CHECK(watch.look({lease(7)}, start + 10s).size() == 1);
  CHECK(watch.look({lease(7)}, start + 10'500ms).empty());
  CHECK(watch.look({lease(7)}, start + 11s).size() == 1);
}

TEST_CASE("an ended lease is left alone, and counts anew when it is renewed") {
  lease_watch watch;
  watch.look({lease(7)}, start);
  CHECK(watch.look({lease(7, true)}, start + 20s).empty());
  CHECK(watch.look({lease(8)}, start + 30s).empty());
  CHECK(watch.look({lease(8)}, start + 40s).size() == 1);
}
