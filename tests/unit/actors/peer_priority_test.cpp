#include "actors/peer/door.hpp"
#include "actors/peer/mesh_versions.hpp"
#include "actors/peer/standing_links.hpp"
#include "tests/unit/actors/test_authority.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <doctest/doctest.h>

using namespace novacron;

// What replicas tell each other, and what a door says of it, ahead of everything else.

namespace {

constexpr int waiting = 100; ///< messages in a mailbox

const node_id one{{0, 1}};
const node_id two{{0, 2}};

/// What an actor handled, in this order: true for what concerns replicas.
using handled = std::vector<bool>;

std::shared_ptr<mesh_identity> controller(const test_authority& authority, node_id node) {
  auto own = authority.issue(node, {node_role::controller});
  auto identity = std::make_shared<mesh_identity>();
  identity->node = node;
  identity->certificate = own.certificate;
  identity->key = own.key;
  identity->authority = authority.certificate();
  return identity;
}

/// Says hello to the door, as a link does, then writes down what it is sent.
caf::behavior guest(caf::event_based_actor* self, const std::shared_ptr<mesh_identity>& me,
                    const door_actor& door, const std::shared_ptr<handled>& order) {
  self->request(door, caf::infinite, hello_challenge_request{random_nonce()})
      .then([=](const hello_challenge& theirs) {
        hello_proof proof{hello_side::link, theirs.challenge, me->cluster,
                          me->node,         door->address(),  self->address()};
        hello mine{me->node, "node-2", me->cluster, 0, mesh_version, me->certificate, {}};
        mine.signature = *sign(me->key, proof.text());
        self->request(door, caf::infinite, mine).then([](const welcome&) {});
      });
  return {[order](const replica_message_taken&) { order->push_back(true); },
          [order](const migration_progress&) { order->push_back(false); }};
}

} // namespace

TEST_CASE_FIXTURE(virtual_time, "a replica's message goes ahead of all that waits at a door") {
  auto order = std::make_shared<handled>();
  auto busy = system.spawn([order](caf::event_based_actor*) -> caf::behavior {
    return {[order](const replica_message&) { order->push_back(true); },
            [order](const migration_progress&) { order->push_back(false); }};
  });
  run();
  standing_links links;
  links.add(two, caf::actor_cast<link_actor>(busy), caf::actor_cast<door_actor>(busy));
  for (int i = 0; i < waiting; ++i)
    caf::anon_send(busy, migration_progress{});
  REQUIRE(links.send(two, {}));
  run();
  REQUIRE(order->size() == waiting + 1);
  CHECK(order->front());
  links.clear();
  kill(busy);
}

TEST_CASE_FIXTURE(virtual_time, "the credit for replicas' messages goes ahead at a busy link") {
  test_authority authority;
  door_config its;
  its.self = controller(authority, one);
  auto the_door = door_actor{system.spawn(door, its, door_routes{})};
  auto order = std::make_shared<handled>();
  auto link = system.spawn(guest, controller(authority, two), the_door, order);
  run();
  standing_links links;
  links.add(one, caf::actor_cast<link_actor>(link), the_door);
  for (uint64_t i = 0; i < replica_message_credit; ++i)
    REQUIRE(links.send(one, {}));
  for (int i = 0; i < waiting; ++i)
    caf::anon_send(link, migration_progress{});
  run();
  REQUIRE(order->size() == waiting + 1);
  const auto credit = std::ranges::find(*order, true) - order->begin();
  CHECK(credit < waiting / 2); // some were handled while the door was at it
  links.clear();
  kill(link);
  kill(the_door);
}
