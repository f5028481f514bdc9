#include "actors/peer/any_controller.hpp"
#include "actors/peer/peers.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/test_mesh.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace novacron;

namespace {

/// Counts who was to be killed.
supervisor_actor undertaker(test_node& node, std::atomic<int>& kills) {
  return node.keep(
      node.system->spawn([&kills](supervisor_actor::pointer) -> supervisor_actor::behavior_type {
        return {[](const std::shared_ptr<const child_spec>&) { return caf::actor{}; },
                [](stop_atom, const std::string&) {},
                [&kills](const kill_actor&) {
                  ++kills;
                  return ok_atom::value;
                },
                [](const actor_tree_request& x) {
                  actor_tree tree;
                  tree.actors.resize(1);
                  tree.actors[0].path = x.path + "/feed";
                  return tree;
                }};
      }));
}

actor_tree_request tree_of(node_id node, std::string path = {}) {
  actor_tree_request what;
  what.node = node;
  what.path = std::move(path);
  return what;
}

/// Sends bytes to a port, reads until the other end closes or says nothing for 50 ms.
void disturb(uint16_t port, const std::string& bytes) {
  auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval patience{0, 50'000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0) {
    [[maybe_unused]] auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    char answer[64];
    while (::recv(socket, answer, sizeof answer, 0) > 0) {
    }
  }
  ::close(socket);
}

} // namespace

TEST_CASE("garbage on the port harms nobody") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto link = two.link_by(two.to(port));
  REQUIRE(two.reads_through(link));
  const std::string client_hello{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11};
  for (int i = 0; i < 20; ++i) {
    disturb(port, std::string(static_cast<size_t>(1 + i * 37), static_cast<char>(i * 11)));
    disturb(port, client_hello + std::string(static_cast<size_t>(i), 'x'));
    disturb(port, std::string(32, '\0')); // kills a port without TLS
  }
  CHECK(two.reads_through(link));
  CHECK(two.reads_through(two.link_by(two.to(port))));
}

TEST_CASE("a connection that fails breaks no other one of the node") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto link = two.link_by(two.to(port));
  REQUIRE(two.reads_through(link));
  for (int i = 0; i < 10; ++i) {
    disturb(port, "no TLS at all");
    std::string error;
    CHECK_MESSAGE(two.ask<feed_listing>(link, list_request{}, &error), error); // at once
  }
}

TEST_CASE("a link finds the door again after its death, on the same port") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto link = two.link_by(two.to(port));
  REQUIRE(two.reads_through(link));
  caf::anon_send_exit(one.the_door, caf::exit_reason::kill);
  CHECK(two.fails_through(link, "door is gone"));
  CHECK(one.open_door(one.routes(), false, port) == port);
  CHECK(two.reads_through(link));
}

TEST_CASE("a request on its way fails as soon as the door dies") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto link = two.link_by(two.to(one.open_door(one.routes())));
  REQUIRE(two.reads_through(link));
  one.mute = true;
  caf::scoped_actor self{*two.system};
  auto response = self->request(link, 30s, proposal{{report_of(host_id)}});
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (one.proposals == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  auto began = std::chrono::steady_clock::now();
  caf::anon_send_exit(one.the_door, caf::exit_reason::kill);
  std::string error;
  response.receive([](const outcomes&) {},
                   [&](const caf::error& why) { error = two.system->render(why); });
  CHECK(error.find("broke") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - began < 4s); // long before any timeout
}

TEST_CASE("a request on its way fails as soon as its link dies") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto link = two.link_by(two.to(one.open_door(one.routes())));
  REQUIRE(two.reads_through(link));
  one.mute = true;
  caf::scoped_actor self{*two.system};
  auto response = self->request(link, 10s, proposal{{report_of(host_id)}});
  REQUIRE(becomes_true(10s, [&] { return one.proposals > 0; }));
  caf::anon_send_exit(link, caf::exit_reason::kill);
  std::string error;
  response.receive([](const outcomes&) {},
                   [&](const caf::error& why) { error = two.system->render(why); });
  CHECK_MESSAGE(error.find("ended") != std::string::npos, error); // and not: timeout
}

TEST_CASE("a controller kills an actor of another node over that node's own link") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  std::atomic<int> kills = 0;
  auto supervisor = undertaker(two, kills);
  auto config = two.to(one.open_door(one.routes(), true));
  config.chaos = true;
  config.supervisor = [supervisor] { return supervisor; };
  auto link = two.link_by(config);
  REQUIRE(two.reads_through(link));
  CHECK(one.ask<ok_atom>(one.the_door, kill_actor{host_id, "host"}).has_value());
  CHECK(kills == 1);
  CHECK(!one.ask<ok_atom>(one.the_door, kill_actor{third_id, "host"}).has_value());
}

TEST_CASE("a node that doesn't allow chaos kills nobody") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  std::atomic<int> kills = 0;
  auto supervisor = undertaker(two, kills);
  auto config = two.to(one.open_door(one.routes(), true));
  config.supervisor = [supervisor] { return supervisor; };
  auto link = two.link_by(config);
  REQUIRE(two.reads_through(link));
  CHECK(!one.ask<ok_atom>(one.the_door, kill_actor{host_id, "host"}).has_value());
  CHECK(!two.ask<ok_atom>(link, kill_actor{controller_id, "replica"}).has_value()); // a host asks
  CHECK(kills == 0);
}

TEST_CASE("the door has nobody killed for a host, nor where chaos is not allowed") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto refuses = [](test_node& node, const auto& whom) {
    std::string error;
    node.ask<ok_atom>(whom, kill_actor{controller_id, "replica"}, &error);
    return error.find("killed only where") != std::string::npos;
  };
  SUBCASE("for a host") {
    auto link = two.link_by(two.to(one.open_door(one.routes(), true)));
    REQUIRE(two.reads_through(link));
    CHECK(refuses(two, link));
  }
  SUBCASE("not allowed") {
    one.open_door(one.routes());
    CHECK(refuses(one, one.the_door));
  }
}

TEST_CASE("a node's tree is read over its own link, and names the nodes it has links with") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  std::atomic<int> kills = 0;
  auto mine = undertaker(one, kills);
  auto supervisor = undertaker(two, kills);
  auto routes = one.routes();
  routes.supervisor = [mine] { return mine; };
  auto config = two.to(one.open_door(routes));
  config.supervisor = [supervisor] { return supervisor; };
  auto link = two.link_by(config);
  REQUIRE(two.reads_through(link));
  auto far = one.ask<actor_tree>(one.the_door, tree_of(host_id, "services"));
  REQUIRE(far);
  CHECK(far->node == host_id);
  CHECK(far->name == "node-2");
  CHECK(far->actors.at(0).path == "services/feed");
  auto near = one.ask<actor_tree>(one.the_door, tree_of(controller_id, "x"));
  REQUIRE(near);
  CHECK(near->node == controller_id);
  REQUIRE(near->links.size() == 1);
  CHECK(near->links[0] == linked_node{host_id, "node-2", false});
  std::string error;
  CHECK(!one.ask<actor_tree>(one.the_door, tree_of(third_id), &error));
  CHECK(error.find("no link to this one") != std::string::npos);
}

TEST_CASE("actors are shown to nobody but gateways and controllers") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  test_node three{authority, third_id, {node_role::gateway}};
  std::atomic<int> kills = 0;
  auto mine = undertaker(one, kills);
  auto theirs = undertaker(two, kills);
  auto routes = one.routes();
  routes.supervisor = [mine] { return mine; };
  auto port = one.open_door(routes);
  auto config = two.to(port);
  config.supervisor = [theirs] { return theirs; };
  auto link = two.link_by(config);
  REQUIRE(two.reads_through(link));
  std::string error;
  CHECK(!two.ask<actor_tree>(link, tree_of(controller_id), &error));
  CHECK(error.find("gateways and controllers only") != std::string::npos);
  // Its own tree it shows to the door that it has greeted, and to nobody else.
  CHECK(!two.ask<actor_tree>(link, tree_of(host_id), &error));
  CHECK(error.find("the door that we greeted") != std::string::npos);
  auto gateway = three.link_by(three.to(port));
  REQUIRE(three.reads_through(gateway));
  CHECK(three.ask<actor_tree>(gateway, tree_of(controller_id)));
  CHECK(three.ask<actor_tree>(gateway, tree_of(host_id)));
}

TEST_CASE("a gateway without a replica reaches other nodes through a controller") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  test_node three{authority, third_id, {node_role::gateway}};
  std::atomic<int> kills = 0;
  auto theirs = undertaker(two, kills);
  auto port = one.open_door(one.routes(), true);
  auto config = two.to(port);
  config.chaos = true;
  config.supervisor = [theirs] { return theirs; };
  REQUIRE(two.reads_through(two.link_by(config)));
  auto way = three.keep(three.system->spawn(any_controller, three.to(port),
                                            std::vector<address>{{"127.0.0.1", port}}));
  door_routes routes;
  routes.controller = [way] { return way; };
  three.open_door(routes, true);
  CHECK(three.ask_until<actor_tree>(
      three.the_door, tree_of(host_id),
      [](const auto& tree, const auto&) { return tree && tree->node == host_id; }));
  CHECK(three.ask<ok_atom>(three.the_door, kill_actor{host_id, "host"}));
  CHECK(kills == 1);
}

TEST_CASE("peers make one link per node, on demand") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto port = one.open_door(one.routes());
  auto links = two.keep(two.system->spawn(peers, two.to(port)));
  auto link_to = [&](const std::string& where) {
    std::optional<link_actor> out;
    caf::scoped_actor self{*two.system};
    self->request(links, 5s, caf::connect_atom::value, controller_id, where)
        .receive([&](const link_actor& x) { out = x; }, [](const caf::error&) {});
    return out;
  };
  auto where = "127.0.0.1:" + std::to_string(port);
  auto first = link_to(where);
  REQUIRE(first.has_value());
  CHECK(two.reads_through(*first));
  CHECK((link_to(where) == first));
  CHECK(!link_to("nowhere").has_value());
}

TEST_CASE("there is no mesh without certificate, key and authority") {
  test_authority authority;
  scratch_folder folder;
  auto own = authority.issue(host_id, {node_role::host});
  auto certificate = folder.write("node.pem", own.certificate);
  auto key = folder.write("node.key", own.key);
  auto ca = folder.write("ca.pem", authority.certificate());
  auto other = authority.issue(host_id, {node_role::host});
  auto refuses = [&](const mesh_files& files) {
    caf::actor_system_config cfg;
    mesh_config mesh;
    mesh.files = files;
    return !configure_mesh(cfg, mesh).has_value();
  };
  CHECK(!refuses({certificate, key, ca}));
  CHECK(refuses({{}, key, ca}));
  CHECK(refuses({certificate, {}, ca}));
  CHECK(refuses({certificate, key, {}}));
  CHECK(refuses({certificate, folder.write("other.key", other.key), ca}));
  CHECK(refuses({certificate, key, folder.write("other-ca.pem", test_authority{}.certificate())}));
  CHECK(refuses({folder.write("garbage.pem", "garbage"), key, ca}));
}
