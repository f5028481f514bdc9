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
                [](tree_atom) { return std::vector<actor_status>{}; }};
      }));
}

/// Sends bytes to a port, reads until the other end closes or half a second is over.
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
