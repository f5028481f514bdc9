#include "actors/peer/door.hpp"
#include "tests/unit/actors/test_authority.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("a door that ends after the next one has opened leaves it its name") {
  test_authority authority;
  auto own = authority.issue(node_id{{0, 1}}, {node_role::controller});
  door_config config;
  auto identity = std::make_shared<mesh_identity>();
  identity->certificate = own.certificate;
  config.self = identity;
  virtual_time time;
  auto first = time.system.spawn(door, config, door_routes{});
  time.run();
  auto second = time.system.spawn(door, config, door_routes{});
  time.run();
  time.kill(first);
  auto named = time.system.registry().get(door_name);
  REQUIRE(named);
  CHECK(named->id() == second.id());
  named = nullptr;
  time.kill(second);
}
