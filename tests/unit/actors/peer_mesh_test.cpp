#include "actors/peer/door.hpp"
#include "actors/peer/link.hpp"
#include "actors/peer/mesh_config.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "actors/peer/peers.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <arpa/inet.h>
#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>
#include <future>
#include <sys/socket.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const cluster_id the_cluster{{7, 7}};
const node_id controller_id{{0, 1}};
const node_id host_id{{0, 2}};
const node_id third_id{{0, 3}};

/// One node: its files, its identity, its actor system.
struct test_node {
  scratch_folder folder;
  std::shared_ptr<mesh_identity> identity = std::make_shared<mesh_identity>();
  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> system;
  std::vector<caf::actor> actors; ///< to be ended

  test_node(const test_authority& authority, node_id id, std::vector<node_role> roles) {
    auto own = authority.issue(id, roles);
    mesh_config mesh;
    mesh.cluster = the_cluster;
    mesh.files = {folder.write("node.pem", own.certificate), folder.write("node.key", own.key),
                  folder.write("ca.pem", authority.certificate())};
    auto read = read_mesh_identity(mesh.files);
    REQUIRE(read.has_value());
    *identity = *read;
    identity->cluster = the_cluster;
    identity->name = "node-" + std::to_string(id.value.low);
    REQUIRE(configure_mesh(cfg, mesh).has_value());
    system = std::make_unique<caf::actor_system>(cfg);
  }

  ~test_node() {
    for (const auto& each : actors)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  }

  template <class Handle>
  Handle keep(Handle handle) {
    actors.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  uint16_t open_door(door_routes routes, bool chaos = false, uint16_t port = 0) {
    auto opened = std::make_shared<std::promise<uint16_t>>();
    door_config config;
    config.self = identity;
    config.listen = address{"127.0.0.1", port};
    config.chaos = chaos;
    config.published = [opened](uint16_t x) { opened->set_value(x); };
    the_door = keep(door_actor{system->spawn(door, config, routes)});
    auto future = opened->get_future();
    REQUIRE(future.wait_for(15s) == std::future_status::ready);
    return future.get();
  }
  door_actor the_door;

  link_config to(uint16_t port) const {
    link_config config;
    config.self = identity;
    config.remote = {"127.0.0.1", port};
    config.expected_role = node_role::controller;
    return config;
  }

  link_actor link_by(link_config config) {
    return keep(system->spawn(novacron::link, std::move(config)));
  }

  /// Asks once; the answer, or nothing and the error's text.
  template <class Answer, class Handle, class Question>
  std::optional<Answer> ask(const Handle& whom, const Question& what,
                            std::string* error = nullptr) {
    std::optional<Answer> out;
    caf::scoped_actor self{*system};
    self->request(whom, 5s, what)
        .receive([&](const Answer& x) { out = x; },
                 [&](const caf::error& why) {
                   if (error)
                     *error = system->render(why);
                 });
    return out;
  }

  /// Asks until the answer, or the error's text, is what the test waits for.
  template <class Answer, class Handle, class Question, class Until>
  bool ask_until(const Handle& whom, const Question& what, Until until) {
    auto deadline = std::chrono::steady_clock::now() + 15s;
    do {
      std::string error;
      auto answer = ask<Answer>(whom, what, &error);
      if (until(answer, error))
        return true;
      std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < deadline);
    return false;
  }

  bool reads_through(const link_actor& whom) {
    return ask_until<feed_listing>(whom, list_request{}, [](const auto& page, const auto&) {
      return page && page->revision == 42;
    });
  }

  bool fails_through(const link_actor& whom, std::string_view why) {
    return ask_until<feed_listing>(whom, list_request{}, [&](const auto&, const auto& error) {
      return error.find(why) != std::string::npos;
    });
  }
};

/// A controller with a feed at revision 42 and a frontend that takes everything.
struct controller : test_node {
  explicit controller(const test_authority& authority)
      : test_node{authority, controller_id, {node_role::controller}} {
    feed = keep(system->spawn([](feed_source_actor::pointer) -> feed_source_actor::behavior_type {
      return {[](const list_request&) {
                feed_listing page;
                page.revision = 42;
                return page;
              },
              [](const pull_request&) { return feed_changes{}; }, [](const migration_progress&) {}};
    }));
    frontend
        = keep(system->spawn([this](frontend_actor::pointer self) -> frontend_actor::behavior_type {
            return {[this, self](const proposal& x) -> caf::result<outcomes> {
              ++proposals;
              if (mute)
                return self->make_response_promise<outcomes>();
              return outcomes{std::vector<command_outcome>(x.commands.size())};
            }};
          }));
  }

  [[nodiscard]] door_routes routes() const {
    return {.frontend = [x = frontend] { return x; },
            .feed = [x = feed] { return x; },
            .host = {},
            .supervisor = {}};
  }

  feed_source_actor feed;
  frontend_actor frontend;
  std::atomic<int> proposals = 0;
  std::atomic<bool> mute = false;
};

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

command report_of(node_id host) {
  host_report body;
  body.host = host;
  return {body, {}};
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
                [=](const prepare_migration& x) { return pass(x); },
                [=](const migration_performed& x) { return pass(x); },
                [=](const kill_actor& x) { return pass(x); }};
      }));
  auto mirror_port = caf::openssl::publish(mirror, 0, "127.0.0.1");
  REQUIRE(static_cast<bool>(mirror_port));
  CHECK(two.fails_through(two.link_by(two.to(*mirror_port)), "proves nothing"));
}

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
