#include "actors/gateway/http/byte_budget.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("shares grow while there is room, and give back what they held") {
  byte_budget budget{100};
  {
    byte_share one{budget};
    CHECK(one.grow_to(60));
    CHECK(one.grow_to(50)); // it holds more
    byte_share two{budget};
    CHECK_FALSE(two.grow_to(41));
    CHECK(budget.held() == 60);
    CHECK(two.grow_to(40));
    CHECK_FALSE(two.grow_to(41));
    one.release();
    CHECK(two.grow_to(100));
    byte_share three{std::move(two)};
    CHECK(budget.held() == 100);
    two = byte_share{budget}; // NOLINT(bugprone-use-after-move): it holds nothing
    CHECK(budget.held() == 100);
    three = byte_share{budget};
    CHECK(budget.held() == 0);
    CHECK(three.grow_to(7));
  }
  CHECK(budget.held() == 0);
}
