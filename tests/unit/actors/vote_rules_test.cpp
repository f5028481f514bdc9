#include "actors/gateway/vote_rules.hpp"
#include "storage/replication/membership.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr node_id id_of(uint64_t n) {
  return {{0, n}};
}

std::string name_of(node_id id) {
  return "node-" + std::to_string(id.value.low);
}

/// Voters 1 to 3, of whom those in `down` don't answer.
group_status group_of_three(std::initializer_list<uint64_t> down = {}) {
  group_status out;
  for (uint64_t n = 1; n <= 3; ++n)
    out.members.push_back({id_of(n), true, std::ranges::find(down, n) == down.end(), 0});
  return out;
}

} // namespace

TEST_CASE("a voter may go while those that are left are a majority of themselves") {
  CHECK(vote_objection(group_of_three(), id_of(3), member_wish::leaving, name_of).empty());
  CHECK(vote_objection(group_of_three({3}), id_of(3), member_wish::leaving, name_of).empty());
  CHECK(vote_objection(group_of_three({3}), id_of(3), member_wish::standby, name_of).empty());
}

TEST_CASE("a voter whose going would cost the majority stays, and the answer says why") {
  CHECK(vote_objection(group_of_three({3}), id_of(2), member_wish::leaving, name_of)
        == "without node node-2 the voters would be node-1 (up) and node-3 (down): 1 would answer, "
           "and 2 are needed; bring back those that are down, or take them out first");
  CHECK(vote_objection(group_of_three({3}), id_of(2), member_wish::standby, name_of)
            .starts_with("without node node-2's vote the voters would be"));
}

TEST_CASE("a new voter must not raise the majority beyond those that answer") {
  auto two_down = group_of_three({2, 3});
  CHECK(vote_objection(two_down, id_of(4), member_wish::voter, name_of).find("3 are needed")
        != std::string::npos);
  CHECK(vote_objection(group_of_three({3}), id_of(4), member_wish::voter, name_of).empty());
  auto with_standby = group_of_three({3});
  with_standby.members.push_back({id_of(4), false, false, 0});
  CHECK(vote_objection(with_standby, id_of(4), member_wish::voter, name_of).find("node-4 (down)")
        != std::string::npos);
}

TEST_CASE("a group grows to five voters, and to six while one is replaced; a seventh is refused") {
  auto group = group_of_three();
  for (uint64_t n = 4; n <= most_voters; ++n) {
    CHECK(vote_objection(group, id_of(n), member_wish::voter, name_of).empty());
    group.members = members_after(group.members, id_of(n), member_wish::voter);
  }
  group.members.push_back({id_of(7), false, true, 0});
  const auto why = vote_objection(group, id_of(7), member_wish::voter, name_of);
  CHECK(
      why
      == "node node-7 would be voter number 7, and a group has no more than 6 (1, 3 or 5, and one "
         "more while one is replaced); demote or remove another one first");
  CHECK(vote_objection(group, id_of(8), member_wish::voter, name_of)
            .starts_with("node node-8 would be voter number 7"));
  CHECK(vote_objection(group, id_of(6), member_wish::voter, name_of).empty()); // it votes already
  CHECK(vote_objection(group, id_of(7), member_wish::standby, name_of).empty());
  // Whatever made them so many, they may become fewer.
  group.members = members_after(group.members, id_of(7), member_wish::voter);
  group.members = members_after(group.members, id_of(8), member_wish::voter);
  CHECK(vote_objection(group, id_of(8), member_wish::leaving, name_of).empty());
}

TEST_CASE("the last voter stays, and a standby may come and go") {
  group_status alone;
  alone.members.push_back({id_of(1), true, true, 0});
  CHECK(vote_objection(alone, id_of(1), member_wish::leaving, name_of)
        == "node node-1 is the last voter; promote another one first");
  alone.members.push_back({id_of(2), false, false, 0});
  CHECK(vote_objection(alone, id_of(2), member_wish::leaving, name_of).empty());
  CHECK(vote_objection(alone, id_of(2), member_wish::standby, name_of).empty());
}
