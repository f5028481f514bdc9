#include "actors/peer/snapshot_doors.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE("a door that failed isn't tried again at once, a new one is") {
  snapshot_doors doors;
  const node_id owner{{0, 3}};
  const auto now = snapshot_doors::clock::now();
  CHECK(!doors.find(owner, now));
  doors.failed(owner, now); // of nobody
  const address first{"10.0.0.3", 7121};
  doors.said(owner, first);
  CHECK(doors.find(owner, now) == first);
  doors.failed(owner, now);
  doors.said(owner, first);
  CHECK(!doors.find(owner, now + snapshot_doors::shunned - 1ms));
  CHECK(doors.find(owner, now + snapshot_doors::shunned) == first);
  doors.failed(owner, now);
  const address second{"10.0.0.3", 7122};
  doors.said(owner, second);
  CHECK(doors.find(owner, now) == second);
}
