#include "hypervisor/fencer/held_deadline.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE("without a deadline none has passed, and the first one holds at once") {
  held_deadline x{std::nullopt};
  CHECK_FALSE(x.passed(1'000h));
  CHECK(x.order(10s));
  CHECK_FALSE(x.passed(10s - 1ns));
  CHECK(x.passed(10s));
}

TEST_CASE("a looser deadline holds when it was written, not before") {
  held_deadline x{10s};
  REQUIRE(x.order(20s));
  CHECK(x.passed(15s));
  x.written(true);
  CHECK_FALSE(x.passed(15s));
  CHECK(x.get() == 20s);
}

TEST_CASE("a looser deadline that couldn't be written never holds, and the next may be") {
  held_deadline x{10s};
  REQUIRE(x.order(20s));
  x.written(false);
  CHECK(x.get() == 10s);
  REQUIRE(x.order(30s));
  x.written(true);
  CHECK(x.get() == 30s);
}

TEST_CASE("a stricter deadline holds at once, whatever becomes of its write") {
  held_deadline x{10s};
  REQUIRE(x.order(5s));
  CHECK(x.passed(5s));
  x.written(false);
  CHECK(x.passed(5s));
}

TEST_CASE("a strict order isn't undone by a looser one that was being written when it came") {
  held_deadline x{10s};
  REQUIRE(x.order(20s));
  CHECK_FALSE(x.order(5s)); // refused, since it's not in the file; but it holds
  CHECK(x.passed(5s));
  x.written(true);
  CHECK(x.get() == 5s);
}

TEST_CASE("a looser order that comes during a write changes nothing") {
  held_deadline x{10s};
  REQUIRE(x.order(20s));
  CHECK_FALSE(x.order(30s));
  x.written(true);
  CHECK(x.get() == 20s);
}
