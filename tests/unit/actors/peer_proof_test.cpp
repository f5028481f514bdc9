#include "actors/peer/hello_proof.hpp"
#include "tests/unit/actors/test_authority.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

const node_id somebody{{3, 4}};

} // namespace

TEST_CASE_FIXTURE(virtual_time, "a proof is worth nothing in any other conversation") {
  auto one
      = system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](tick_atom) {}}; });
  hello_proof proof;
  proof.node = somebody;
  auto other = proof;
  SUBCASE("of the other side") {
    other.signer = hello_side::link;
  }
  SUBCASE("of another challenge") {
    other.challenge[0] = std::byte{1};
  }
  SUBCASE("of another cluster") {
    other.cluster = {{1, 1}};
  }
  SUBCASE("of another node") {
    other.node = {{3, 5}};
  }
  SUBCASE("with another door") {
    other.door = one.address();
  }
  SUBCASE("with another link") {
    other.link = one.address();
  }
  CHECK(other.text() != proof.text());
  kill(one);
}

TEST_CASE("a certificate without a node, or without roles, is nobody's") {
  test_authority authority;
  CHECK(identity_of(authority.issue(somebody, {node_role::host}).certificate).has_value());
  CHECK(!identity_of(authority.issue({}, {node_role::host}).certificate).has_value());
  CHECK(!identity_of(authority.issue(somebody, {}).certificate).has_value());
  CHECK(!identity_of(authority.issue("URI:novacron:role:host").certificate).has_value());
}

TEST_CASE("a certificate says who its owner is in URIs alone, and clearly") {
  test_authority authority;
  auto node = "URI:novacron:node:" + to_string(somebody);
  auto roles_of = [&](const std::string& names) {
    auto owner = identity_of(authority.issue(names).certificate);
    return owner ? owner->roles : std::vector<node_role>{};
  };
  CHECK(roles_of(node + ",URI:novacron:role:host") == std::vector{node_role::host});
  CHECK(roles_of(node + ",URI:novacron:role:host,DNS:novacron:role:gateway")
        == std::vector{node_role::host});
  CHECK(roles_of(node + ",URI:novacron:role:host,URI:novacron:role:emperor").empty());
  CHECK(roles_of(node + ",URI:novacron:node:" + to_string(node_id{{5, 6}})
                 + ",URI:novacron:role:host")
            .empty());
}
