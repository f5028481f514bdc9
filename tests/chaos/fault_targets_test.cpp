#include "fault_targets.hpp"
#include "lab.hpp"

#include <doctest/doctest.h>
#include <set>

using namespace novacron::chaos;

namespace {

/// Whom it hits in many turns, one in each of them.
std::set<int> hit(fault_target who, int leader, bool real) {
  std::mt19937_64 random{7};
  std::set<int> all;
  for (int turn = 0; turn < 200; ++turn) {
    const auto nodes = nodes_hit(who, leader, real, random);
    CHECK(nodes.size() == 1);
    all.insert(nodes.begin(), nodes.end());
  }
  return all;
}

} // namespace

TEST_CASE("a fault hits one kind of node and, in the end, each node of that kind") {
  CHECK(hit(fault_target::leader, 2, true) == std::set{2});
  CHECK(hit(fault_target::follower, 2, true) == std::set{1, 3});
  CHECK(hit(fault_target::controller, 2, true) == std::set{1, 2, 3});
  CHECK(hit(fault_target::gateway, 2, true) == std::set{7, 8, 9});
  CHECK(hit(fault_target::real, 2, true) == std::set{6});
  CHECK(hit(fault_target::simulated, 2, true) == std::set{4, 5});
  CHECK(hit(fault_target::most_ha, 2, true) == std::set{4, 5});
  CHECK(hit(fault_target::small_disk, 2, true) == std::set{lab::small_disk_node});
  CHECK(hit(fault_target::any, 2, true) == std::set{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("while nobody leads, the leader is any controller, and so is a follower") {
  CHECK(hit(fault_target::leader, 0, true) == std::set{1, 2, 3});
  CHECK(hit(fault_target::follower, 0, true) == std::set{1, 2, 3});
}

TEST_CASE("without real guests each host is a simulated one, and may stand for theirs") {
  CHECK(hit(fault_target::real, 1, false) == std::set{4, 5, 6});
  CHECK(hit(fault_target::simulated, 1, false) == std::set{4, 5, 6});
  CHECK(hit(fault_target::most_ha, 1, false) == std::set{4, 5, 6});
}

TEST_CASE("all of a kind, and all nodes, are hit at once") {
  std::mt19937_64 random{7};
  CHECK(nodes_hit(fault_target::controllers, 1, true, random) == std::vector{1, 2, 3});
  CHECK(nodes_hit(fault_target::all, 1, true, random) == std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("a user who got no answer asks another gateway, and never a controller's") {
  std::set<int> asked;
  int gateway = 1;
  for (size_t turn = 0; turn < lab::gateways.size(); ++turn)
    asked.insert(gateway = lab::next_gateway(gateway));
  CHECK(asked == std::set{7, 8, 9});
}
