#include "storage/local/state_sums.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

membership group_of(uint64_t count) {
  membership all;
  for (uint64_t n = 1; n <= count; ++n)
    all.push_back({n, "node-" + std::to_string(n), member_role::voter});
  return all;
}

/// The sums as member 1 knows them, of a group of `count`.
state_sums sums_of(uint64_t count, uint64_t self = 1) {
  state_sums all;
  all.follow(group_of(count), self);
  return all;
}

using difference = state_sums::difference;

} // namespace

TEST_CASE("who has another hash than most is wrong, also if it leads") {
  auto sums = sums_of(3);
  sums.took({256, 7});
  sums.said(2, {256, 8});
  CHECK_FALSE(sums.judge(2).has_value()); // one against one: who knows
  sums.said(3, {256, 8});
  CHECK(sums.judge(2) == difference{256, 7, 8});
  CHECK(sums.judge(1) == difference{256, 7, 8});
  CHECK(sums.judge(0) == difference{256, 7, 8});
}

TEST_CASE("who has what most have is right, whoever leads") {
  auto sums = sums_of(3);
  sums.took({256, 7});
  sums.said(2, {256, 8});
  sums.said(3, {256, 7});
  CHECK_FALSE(sums.judge(2).has_value());
  CHECK(sums.agreed(3) == 256);
  CHECK(sums.agreed(2) == 0);
}

TEST_CASE("where no hash has a majority the leader's is right, once all have spoken") {
  auto two = sums_of(2);
  two.took({256, 7});
  two.said(2, {256, 8});
  CHECK(two.judge(2) == difference{256, 7, 8});
  CHECK_FALSE(two.judge(1).has_value());
  CHECK_FALSE(two.judge(0).has_value());
  auto four = sums_of(4);
  four.took({256, 7});
  four.said(2, {256, 8});
  four.said(3, {256, 9});
  CHECK_FALSE(four.judge(2).has_value());
  four.said(4, {256, 9});
  CHECK(four.judge(2) == difference{256, 7, 8});
}

TEST_CASE("only sums of the same index are compared, however late they come") {
  auto sums = sums_of(3);
  sums.took({256, 7});
  sums.took({512, 70});
  sums.said(2, {512, 70});
  sums.said(3, {256, 8});
  CHECK_FALSE(sums.judge(2).has_value());
  sums.said(3, {512, 71});
  CHECK_FALSE(sums.judge(2).has_value());
  CHECK(sums.agreed(2) == 512);
  CHECK(sums.agreed(1) == 512);
  CHECK(sums.newest() == state_sum{512, 70});
}

TEST_CASE("what strangers, those who left and those without a sum say counts for nothing") {
  auto sums = sums_of(3);
  sums.took({256, 7});
  sums.said(2, {});
  sums.said(8, {256, 8});
  sums.said(9, {256, 8});
  sums.said(3, {256, 8});
  CHECK_FALSE(sums.judge(3).has_value());
  sums.follow(group_of(2), 1);
  CHECK_FALSE(sums.judge(3).has_value());
  CHECK(sums.agreed(3) == 0);
}

TEST_CASE("a state that took another's place is compared by its own sums") {
  auto sums = sums_of(3);
  sums.took({256, 7});
  sums.forget_own();
  sums.said(2, {256, 8});
  sums.said(3, {256, 8});
  CHECK_FALSE(sums.judge(2).has_value());
  CHECK(sums.newest() == state_sum{});
  sums.took({512, 9});
  sums.said(2, {512, 9});
  sums.said(3, {512, 9});
  CHECK_FALSE(sums.judge(2).has_value());
}

TEST_CASE("as many sums are remembered as a member may be behind, and no more") {
  auto sums = sums_of(2);
  for (uint64_t n = 1; n <= state_sums::remembered + 1; ++n)
    sums.took({n * 256, n});
  sums.said(2, {256, 99}); // forgotten
  CHECK_FALSE(sums.judge(2).has_value());
  sums.said(2, {512, 99});
  CHECK(sums.judge(2) == difference{512, 2, 99});
}
