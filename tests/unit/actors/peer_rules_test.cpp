#include "actors/peer/back_off.hpp"
#include "actors/peer/guest_book.hpp"
#include "actors/peer/mesh_rules.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id me{{0, 1}};
const node_id other{{0, 2}};

node_identity with(node_role role) {
  return {me, {role}};
}

command report_of(node_id host) {
  host_report body;
  body.host = host;
  return {body, {}};
}

/// Somebody with an address.
struct someone : virtual_time {
  caf::scoped_actor self{system};
  caf::actor_addr link = self->address();
};

} // namespace

TEST_CASE("a host speaks for itself alone") {
  auto host = with(node_role::host);
  CHECK(may_propose(host, report_of(me)));
  CHECK(!may_propose(host, report_of(other)));
  CHECK(may_propose(host, {renew_lease{me, {}, 1s}, {}}));
  CHECK(!may_propose(host, {renew_lease{other, {}, 1s}, {}}));
  CHECK(may_propose(host, {confirm_inventory{me, {}}, {}}));
  CHECK(!may_propose(host, {confirm_inventory{other, {}}, {}}));
  register_host mine;
  mine.host.id = me;
  CHECK(may_propose(host, {mine, {}}));
  mine.host.id = other;
  CHECK(!may_propose(host, {mine, {}}));
}

TEST_CASE("a host decides migrations and wishes nothing") {
  auto host = with(node_role::host);
  CHECK(may_propose(host, {decide_migration{}, {}}));
  CHECK(!may_propose(host, {create_vm{}, {}}));
  CHECK(!may_propose(host, {request_state{}, {}}));
  CHECK(!may_propose(host, {reserve_migration{}, {}}));
  CHECK(!may_propose(host, {fence_host{}, {}}));
}

TEST_CASE("a gateway passes on what users wish and reports nothing") {
  auto gateway = with(node_role::gateway);
  CHECK(may_propose(gateway, {create_vm{}, {}}));
  CHECK(may_propose(gateway, {request_state{}, {}}));
  CHECK(may_propose(gateway, {fence_host{}, {}}));
  CHECK(!may_propose(gateway, report_of(me)));
}

TEST_CASE("nobody ends a lease, or places a lost VM, from outside") {
  for (auto role : {node_role::controller, node_role::gateway, node_role::host}) {
    CHECK(!may_propose(with(role), {expire_lease{}, {}}));
    CHECK(!may_propose(with(role), {replace_vm{}, {}}));
  }
}

TEST_CASE("hosts migrate and don't kill; gateways and controllers kill and don't migrate") {
  CHECK(may_migrate(with(node_role::host)));
  CHECK(!may_kill(with(node_role::host)));
  CHECK(may_kill(with(node_role::gateway)));
  CHECK(may_kill(with(node_role::controller)));
  CHECK(!may_migrate(with(node_role::gateway)));
}

TEST_CASE("a wait doubles up to its bound, and begins anew after a success") {
  back_off wait{50ms, 300ms};
  CHECK(wait.next(0) == 50ms);
  CHECK(wait.next(0) == 100ms);
  CHECK(wait.next(0) == 200ms);
  CHECK(wait.next(0) == 300ms);
  CHECK(wait.next(0) == 300ms);
  wait.succeeded();
  CHECK(wait.next(0) == 50ms);
}

TEST_CASE("chance shortens a wait by a half at most") {
  back_off wait{100ms, 100ms};
  CHECK(wait.next(0.5) == 75ms);
  CHECK(wait.next(0.999) > 50ms);
}

TEST_CASE_FIXTURE(someone, "a challenge is answered once, and in time") {
  const guest_book::time_point start{1h};
  guest_book guests;
  guests.challenged(link, nonce{std::byte{7}}, start);
  CHECK(guests.take_challenge(link, start + 1s) == nonce{std::byte{7}});
  CHECK(!guests.take_challenge(link, start + 1s).has_value());
  guests.challenged(link, nonce{}, start);
  CHECK(!guests.take_challenge(link, start + 10s).has_value());
}

TEST_CASE_FIXTURE(someone, "a link that is forgotten is nobody") {
  guest_book guests;
  guests.verified(link, {with(node_role::host), "node-1", {}});
  CHECK(guests.find(link) != nullptr);
  CHECK(guests.find(me) != nullptr);
  guests.forget(link);
  CHECK(guests.find(link) == nullptr);
  CHECK(guests.find(me) == nullptr);
}

TEST_CASE_FIXTURE(someone, "a node whose latest link is gone is found by the one that stands") {
  caf::scoped_actor earlier{system};
  guest_book guests;
  guests.verified(earlier->address(), {with(node_role::host), "earlier", {}});
  guests.verified(link, {with(node_role::host), "latest", {}});
  guests.forget(link);
  REQUIRE(guests.find(me) != nullptr);
  CHECK(guests.find(me)->name == "earlier");
}
