#include "dwcp/session/packing_lanes.hpp"
#include "tests/few_threads.hpp"

#include <doctest/doctest.h>
#include <system_error>

using namespace novacron;
using namespace novacron::testing;

namespace {

bool can_be_made(unsigned lanes) {
  try {
    const packing_lanes made{lanes, 1, {}};
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

} // namespace

TEST_CASE("lanes for which there are too few threads are a failure, not the process's end") {
  if (!threads_can_be_limited) {
    MESSAGE("not tried: a sanitizer ends a process whose memory is limited");
    return;
  }
  CHECK(holds_with_threads(2, [] { return can_be_made(1); }));
  CHECK(holds_with_threads(2, [] { return !can_be_made(16); }));
}
