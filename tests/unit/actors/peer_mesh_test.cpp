#include "tests/unit/actors/test_mesh.hpp"

#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>

using namespace novacron;

namespace {

/// A host that says what it likes in its hello, and proves it well.
struct greeter {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  door_actor door = found(one.open_door(one.routes()));

  door_actor found(uint16_t port) {
    auto remote = caf::openssl::remote_actor<door_actor>(*two.system, "127.0.0.1", port);
    REQUIRE(static_cast<bool>(remote));
    return *remote;
  }
  /// "welcome", or why not.
  std::string greet(const std::function<void(hello&)>& change) {
    caf::scoped_actor self{*two.system};
    std::string said;
    auto fail = [&](const caf::error& why) { said = two.system->render(why); };
    hello_challenge asked;
    self->request(door, 5s, hello_challenge_request{random_nonce()})
        .receive([&](const hello_challenge& x) { asked = x; }, fail);
    hello_proof proof{hello_side::link, asked.challenge, the_cluster,
                      host_id,          door.address(),  self->address()};
    hello mine{host_id,
               "node-2",
               the_cluster,
               0,
               mesh_version,
               two.identity->certificate,
               sign(two.identity->key, proof.text()).value()};
    change(mine);
    self->request(door, 5s, mine).receive([&](const welcome&) { said = "welcome"; }, fail);
    return said;
  }
  bool refused(std::string_view why, const std::function<void(hello&)>& change) {
    return greet(change).find(why) != std::string::npos;
  }
};

} // namespace

TEST_CASE("two nodes prove who they are, and the host is served") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto link = two.link_by(two.to(port));
  CHECK(two.reads_through(link));
  auto answer = two.ask<outcomes>(link, proposal{{report_of(host_id), {decide_migration{}, {}}}});
  REQUIRE(answer.has_value());
  CHECK(answer->each.size() == 2);
}

TEST_CASE("a host can't propose what only gateways may, nor for another host") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto link = two.link_by(two.to(one.open_door(one.routes())));
  REQUIRE(two.reads_through(link));
  CHECK(!two.ask<outcomes>(link, proposal{{command{create_vm{}, {}}}}).has_value());
  CHECK(!two.ask<outcomes>(link, proposal{{report_of(host_id), report_of(third_id)}}).has_value());
  CHECK(one.proposals == 0);
}

TEST_CASE("a node without the role says so") {
  test_authority authority;
  test_node one{authority, controller_id, {node_role::controller}};
  test_node two{authority, host_id, {node_role::host}};
  auto link = two.link_by(two.to(one.open_door({})));
  CHECK(two.fails_through(link, "doesn't do this"));
}

TEST_CASE("a stranger is answered nothing") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto door = caf::openssl::remote_actor<door_actor>(*two.system, "127.0.0.1", port);
  REQUIRE(static_cast<bool>(door));
  std::string error;
  CHECK(!two.ask<feed_listing>(*door, list_request{}, &error).has_value());
  CHECK(error.find("not said hello") != std::string::npos);
  CHECK(!two.ask<outcomes>(*door, proposal{{report_of(host_id)}}).has_value());
  CHECK(one.proposals == 0);
}

TEST_CASE("a link to a node of another role than expected stays down") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto config = two.to(one.open_door(one.routes()));
  config.expected_role = node_role::host;
  CHECK(two.fails_through(two.link_by(config), "is no host"));
}

TEST_CASE("a link dials where the connection that a node had come by is gone") {
  test_authority authority;
  controller one{authority};
  const test_node gone{authority, third_id, {node_role::host}};
  test_node two{authority, host_id, {node_role::controller}};
  auto config = two.to(one.open_door(one.routes()));
  config.expected_node = controller_id;
  config.known = two.known;
  // As a door leaves it that has been killed: the next one never hears of the connection's end.
  two.known->add(controller_id, gone.system->node(), true);
  CHECK(two.reads_through(two.link_by(config)));
}

TEST_CASE("a link to another node than expected stays down") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto config = two.to(one.open_door(one.routes()));
  config.expected_node = third_id;
  CHECK(two.fails_through(two.link_by(config), "it is node"));
}

TEST_CASE("a certificate of another authority doesn't get through TLS") {
  test_authority authority;
  test_authority foreign;
  controller one{authority};
  test_node two{foreign, host_id, {node_role::host}};
  auto link = two.link_by(two.to(one.open_door(one.routes())));
  CHECK(two.fails_through(link, "cannot connect"));
}

TEST_CASE("a certificate of another authority proves nothing in a hello") {
  test_authority authority;
  test_authority foreign;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}}; // whose TLS is good
  auto forged = foreign.issue(host_id, {node_role::host});
  auto identity = std::make_shared<mesh_identity>(*two.identity);
  identity->certificate = forged.certificate;
  identity->key = forged.key;
  auto config = two.to(one.open_door(one.routes()));
  config.self = identity;
  CHECK(two.fails_through(two.link_by(config), "refused our hello"));
}

TEST_CASE("a hello in another node's name is refused") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto identity = std::make_shared<mesh_identity>(*two.identity);
  identity->node = third_id;
  auto config = two.to(one.open_door(one.routes()));
  config.self = identity;
  CHECK(two.fails_through(two.link_by(config), "refused our hello"));
  greeter other;
  CHECK(other.refused("in another node's name", [](hello& x) { x.node = third_id; }));
}

TEST_CASE("a hello from another cluster is refused") {
  greeter two;
  CHECK(two.greet([](hello&) {}) == "welcome");
  CHECK(two.refused("another cluster", [](hello& x) { x.cluster.value.low ^= 1; }));
}

TEST_CASE("a host's own requests are taken from hosts alone") {
  test_authority authority;
  controller one{authority};
  test_node gateway{authority, third_id, {node_role::gateway}};
  auto link = gateway.link_by(gateway.to(one.open_door(one.routes())));
  REQUIRE(gateway.reads_through(link));
  std::string error;
  CHECK(!gateway.ask<migration_prepared>(link, prepare_migration{}, &error));
  CHECK(error.find("only hosts migrate") != std::string::npos);
}

TEST_CASE("a node in between can't pass another's proof on as its own") {
  test_authority authority;
  controller one{authority};
  test_node between{authority, third_id, {node_role::host}};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto real = caf::openssl::remote_actor<door_actor>(*between.system, "127.0.0.1", port);
  REQUIRE(static_cast<bool>(real));
  using mirror_actor = door_actor;
  auto mirror = between.keep(between.system->spawn(
      [real = *real](mirror_actor::pointer self) -> mirror_actor::behavior_type {
        auto pass = [self, real](const auto& x) { return self->delegate(real, x); };
        return {[=](const list_request& x) { return pass(x); },
                [=](const pull_request& x) { return pass(x); },
                [=](const migration_progress&) {},
                [=](const hello_challenge_request& x) {
                  auto promise = self->make_response_promise<hello_challenge>();
                  self->request(real, 5s, x)
                      .then([promise](const hello_challenge& y) mutable { promise.deliver(y); },
                            [promise](const caf::error& why) mutable { promise.deliver(why); });
                  return promise;
                },
                [=](const hello& x) { return pass(x); },
                [=](const proposal& x) { return pass(x); },
                [=](const group_status_request& x) { return pass(x); },
                [=](const snapshot_chunk_request& x) { return pass(x); },
                [](const replica_message&) {},
                [=](const prepare_migration& x) { return pass(x); },
                [=](const migration_performed& x) { return pass(x); },
                [=](const kill_actor& x) { return pass(x); },
                [=](const actor_tree_request& x) { return pass(x); }};
      }));
  auto mirror_port = caf::openssl::publish(mirror, 0, "127.0.0.1");
  REQUIRE(static_cast<bool>(mirror_port));
  CHECK(two.fails_through(two.link_by(two.to(*mirror_port)), "proves nothing"));
}
