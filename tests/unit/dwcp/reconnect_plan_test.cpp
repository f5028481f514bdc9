#include "dwcp/session/reconnect_plan.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const reconnect_plan::time_point start{};

failure loss(const char* why) {
  return make_failure(dwcp_errc::stream_broken, why);
}

} // namespace

TEST_CASE("a lost connection is tried at once, and then now and then") {
  reconnect_plan plan{10s};
  CHECK(plan.empty());
  CHECK(plan.next() == reconnect_plan::time_point::max());
  plan.lost(3, loss("cut"), start);
  CHECK(plan.due(start) == 3);
  plan.begun(3);
  CHECK(!plan.due(start + 1s));
  CHECK(plan.next() == reconnect_plan::time_point::max());
  plan.failed(3, start + 1s);
  CHECK(!plan.due(start + 1s));
  CHECK(plan.next() == start + 1s + reconnect_plan::between_tries);
  CHECK(plan.due(plan.next()) == 3);
  plan.restored(3);
  CHECK(plan.empty());
  CHECK(plan.why() == nullptr);
}

TEST_CASE("it is given up once all that are lost are for too long") {
  reconnect_plan plan{10s};
  plan.lost(0, loss("cut"), start);
  plan.lost(1, loss("silent"), start + 5s);
  plan.lost(0, loss("again"), start + 9s); // it was lost already
  CHECK(!plan.given_up(start + 15s - 1ms));
  CHECK(plan.given_up(start + 15s));
  CHECK(plan.why()->message == "cut");
  plan.restored(1);
  CHECK(!plan.given_up(start + 10s - 1ms));
  CHECK(plan.given_up(start + 10s));
  plan.lost(1, loss("silent"), start + 11s);
  plan.restored(0);
  CHECK(plan.why()->message == "silent");
}
