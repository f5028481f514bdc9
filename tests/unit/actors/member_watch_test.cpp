#include "actors/replica/member_watch.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using change = member_change::kind;

constexpr node_id id_of(uint64_t n) {
  return {{0, n}};
}

/// Nodes 1 to 3 vote; each node's disk is ten times its number.
struct group {
  std::vector<node_record> nodes;
  replica_status status;
  member_watch watch;
  member_watch::time_point now{};

  group() {
    for (uint64_t n = 1; n <= 3; ++n) {
      known(n);
      member(n);
    }
    status.leader = true;
  }

  node_record& known(uint64_t n, member_wish wish = member_wish::unsaid) {
    node_record node;
    node.id = id_of(n);
    node.name = "node-" + std::to_string(n);
    node.roles = {node_role::controller};
    node.disk = n * 10;
    node.wish = wish;
    nodes.push_back(node);
    return nodes.back();
  }
  node_record& node(uint64_t n) { return *std::ranges::find(nodes, id_of(n), &node_record::id); }
  replica_member& member(uint64_t n, member_role role = member_role::voter) {
    status.members.push_back({id_of(n), n * 10, role, true, 0});
    return status.members.back();
  }
  std::optional<member_change> next_change() {
    auto step = watch.next(nodes, status, now);
    return step ? std::optional{std::get<member_change>(step->what)} : std::nullopt;
  }
};

} // namespace

TEST_CASE_FIXTURE(group, "founders of whom nothing is wished stay what they are") {
  CHECK(member_steps(nodes, status).empty());
  CHECK(watch.doing().empty());
}

TEST_CASE_FIXTURE(group, "a controller that has come becomes a standby, and votes once wished") {
  known(4);
  CHECK(next_change() == member_change{change::add, id_of(4), 40});
  CHECK(!watch.next(nodes, status, now)); // one at a time
  member(4, member_role::standby);
  watch.ended({}, now);
  CHECK(!watch.next(nodes, status, now));
  node(4).wish = member_wish::voter;
  CHECK(next_change() == member_change{change::promote, id_of(4), 40});
}

TEST_CASE_FIXTURE(group, "a node without the role, or whose disk is unknown, is not added") {
  known(4).roles = {node_role::host};
  known(5).disk = 0;
  CHECK(member_steps(nodes, status).empty());
  node(5).wish = member_wish::voter;
  CHECK(!watch.next(nodes, status, now));
  CHECK(watch.doing().find("node node-5 has not said yet") != std::string::npos);
}

TEST_CASE_FIXTURE(group, "a voter that is wished a standby is demoted") {
  node(2).wish = member_wish::standby;
  CHECK(next_change() == member_change{change::demote, id_of(2), 20});
}

TEST_CASE_FIXTURE(group, "who leaves is taken out of the group before its certificate dies") {
  node(3).wish = member_wish::leaving;
  CHECK(next_change() == member_change{change::remove, id_of(3), 30});
  status.members.pop_back();
  watch.ended({}, now);
  auto step = watch.next(nodes, status, now);
  REQUIRE(step);
  CHECK(std::get<wish_member>(step->what) == wish_member{id_of(3), member_wish::removed, {}});
  watch.ended({}, now);
  node(3).wish = member_wish::removed;
  CHECK(!watch.next(nodes, status, now));
}

TEST_CASE_FIXTURE(group, "a replacement goes on from wherever another leader left it") {
  known(4, member_wish::voter).replaces = id_of(2);
  auto next = [&] { // each time by a leader that knows nothing of what was before
    auto steps = member_steps(nodes, status);
    REQUIRE(steps.size() == 1);
    return steps.front().what;
  };
  CHECK(std::get<member_change>(next()) == member_change{change::add, id_of(4), 40});
  auto& fresh = member(4, member_role::standby);
  CHECK(std::get<member_change>(next()) == member_change{change::promote, id_of(4), 40});
  fresh.role = member_role::voter;
  CHECK(std::get<wish_member>(next()) == wish_member{id_of(2), member_wish::leaving, {}});
  node(2).wish = member_wish::leaving;
  CHECK(std::get<member_change>(next()) == member_change{change::remove, id_of(2), 20});
  std::erase_if(status.members, [](const auto& x) { return x.node == id_of(2); });
  CHECK(std::get<wish_member>(next()) == wish_member{id_of(2), member_wish::removed, {}});
  node(2).wish = member_wish::removed;
  CHECK(std::get<wish_member>(next()) == wish_member{id_of(4), member_wish::voter, {}});
  node(4).replaces = {};
  CHECK(member_steps(nodes, status).empty());
}

TEST_CASE_FIXTURE(group, "a disk that isn't the member's is left alone, and said") {
  node(2).disk = 99;
  node(2).wish = member_wish::standby;
  CHECK(!watch.next(nodes, status, now));
  CHECK(watch.doing().find("novacron node replace node-2 NEW") != std::string::npos);
}

TEST_CASE_FIXTURE(group, "what can't be done is said and tried again, and the rest goes on") {
  node(2).wish = member_wish::standby;
  node(3).wish = member_wish::leaving;
  CHECK(next_change()->node == id_of(2));
  watch.ended("too few voters answer", now);
  CHECK(watch.doing() == "demote node node-2: too few voters answer");
  CHECK(next_change()->node == id_of(3));
  watch.ended({}, now);
  status.members.pop_back();
  nodes.pop_back();
  CHECK(!watch.next(nodes, status, now));
  now += 3s;
  CHECK(next_change()->node == id_of(2));
  watch.ended({}, now);
  node(2).wish = member_wish::voter;
  CHECK(!watch.next(nodes, status, now));
  CHECK(watch.doing().empty());
}
