#include "storage/local/peers.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr node_id node_1{{1, 1}};
constexpr node_id node_2{{1, 2}};
constexpr uint64_t own_disk = 11;

membership members(uint64_t disk_1, uint64_t disk_2) {
  return {{1, to_string(member_address{node_1, disk_1}), member_role::voter},
          {2, to_string(member_address{node_2, disk_2}), member_role::voter}};
}

raft_envelope from_2(uint64_t disk, message_tag tag, uint64_t to_disk = 0) {
  return {0, 0, 2, 1, disk, to_disk, tag, vote_answer{}};
}

using verdict = peers::verdict;

} // namespace

TEST_CASE("a message counts once, and not after a later one, whatever connections do") {
  peers known{{1, own_disk, true, 1}, 0, 0};
  known.follow(members(0, 0));
  CHECK(known.judge(node_2, from_2(22, {1, 1})) == verdict::good);
  CHECK(known.judge(node_2, from_2(22, {1, 1})) == verdict::drop);
  CHECK(known.judge(node_2, from_2(22, {1, 3})) == verdict::good);
  CHECK(known.judge(node_2, from_2(22, {1, 2})) == verdict::drop);
  CHECK(known.judge(node_2, from_2(22, {2, 1})) == verdict::good);
  CHECK(known.judge(node_2, from_2(22, {1, 9})) == verdict::drop);
}

TEST_CASE("a member speaks from its own node and disk only") {
  peers known{{1, own_disk, true, 1}, 0, 0};
  known.follow(members(own_disk, 22));
  CHECK(known.judge(node_1, from_2(22, {1, 1})) == verdict::drop);
  CHECK(known.judge(node_2, from_2(23, {1, 1})) == verdict::answer);
  CHECK(known.judge(node_2, from_2(22, {1, 1}, 12)) == verdict::own_emptied);
  CHECK(known.judge(node_2, from_2(22, {1, 1}, own_disk)) == verdict::good);
}

TEST_CASE("a founder's disk counts from when it was first heard of") {
  peers known{{1, own_disk, true, 1}, 0, 0};
  known.follow(members(own_disk, 0));
  CHECK_FALSE(known.unnamed(members(own_disk, 0)).has_value());
  CHECK(known.judge(node_2, from_2(22, {1, 1})) == verdict::good);
  CHECK(known.judge(node_2, from_2(23, {9, 1})) == verdict::answer);
  auto named = known.unnamed(members(own_disk, 0));
  REQUIRE(named.has_value());
  CHECK(parse_member_address(named->address) == member_address{node_2, 22});
  raft_envelope message;
  CHECK(known.address(2, message) == node_2);
  CHECK(message.to_disk == 22);
}

TEST_CASE("what a member's program knows is forgotten when its replica was opened anew") {
  peers known{{1, own_disk, true, 1}, 0, 0};
  known.follow(members(own_disk, 22));
  CHECK(known.known_by(2) == 0);
  CHECK(known.judge(node_2, from_2(22, {1, 1})) == verdict::good);
  known.says(2, 4);
  CHECK(known.judge(node_2, from_2(22, {1, 2})) == verdict::good);
  CHECK(known.known_by(2) == 4);
  CHECK(known.judge(node_2, from_2(22, {2, 3})) == verdict::good);
  CHECK(known.known_by(2) == 0);
  known.says(9, 4);
  CHECK(known.known_by(9) == 0);
}

TEST_CASE("messages of other groups and timelines are dropped") {
  peers known{{1, own_disk, true, 1}, 1, 1};
  known.follow(members(own_disk, 22));
  CHECK(known.judge(node_2, from_2(22, {1, 1})) == verdict::drop);
}

TEST_CASE("an address reads as it was written, and nothing else does") {
  const member_address named{node_1, 0xabcdef};
  CHECK(parse_member_address(to_string(named)) == named);
  const member_address unnamed{node_1, 0};
  CHECK(parse_member_address(to_string(unnamed)) == unnamed);
  CHECK_FALSE(parse_member_address("node-1").has_value());
  CHECK_FALSE(parse_member_address(to_string(unnamed) + "@").has_value());
  CHECK_FALSE(parse_member_address(to_string(unnamed) + "@12x").has_value());
  CHECK(joined_id(node_1, 1) != joined_id(node_1, 2));
  CHECK(joined_id(node_1, 1) != founder_id(node_1));
}
