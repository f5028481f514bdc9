#include "cluster_lab.hpp"
#include "messages/descriptor.hpp"
#include "runtime/certificates/cluster_init.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/socket.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto refusal_limit = 20s;

/// What the node says when it can't start; checks how it says so.
std::string refusal_of(const child_command& command) {
  auto child = child_process::start(command);
  REQUIRE(child.has_value());
  REQUIRE(child->wait(refusal_limit));
  CHECK(child->ending() == "status 2");
  std::ifstream in{command.output};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  CHECK_MESSAGE(std::count(text.begin(), text.end(), '\n') == 1, text);
  CHECK_MESSAGE(text.starts_with("novacron node: "), text);
  return text;
}

sockaddr_in on_loopback(int port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

/// Sends what no protocol of ours begins with; true once the other end has closed.
bool is_closed_after_garbage(int port) {
  descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto where = on_loopback(port);
  REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
  std::string garbage;
  for (int i = 0; i < 20'000; ++i)
    garbage += static_cast<char>(i * 7 + i / 256);
  ::send(socket.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
  pollfd changed{socket.get(), POLLIN, 0};
  char answer[4096];
  // A TLS alert may come first.
  while (::poll(&changed, 1, 20'000) == 1)
    if (::recv(socket.get(), answer, sizeof answer, 0) <= 0)
      return true;
  return false;
}

} // namespace

TEST_CASE("a node with an unknown key in its file says so in one line and ends with status 2") {
  cluster_lab lab{true};
  auto text = refusal_of(lab.command_of(1, {"mesh.lisen=127.0.0.1:1"}));
  CHECK_MESSAGE(text.find("lisen") != std::string::npos, text);
  CHECK_MESSAGE(text.find("listen") != std::string::npos, text); // the nearest known one
}

TEST_CASE("a node with a certificate of another CA does not start") {
  cluster_lab lab{true};
  REQUIRE(init_cluster(lab.folder() / "other", development_nodes()).has_value());
  auto text = refusal_of(
      lab.command_of(1, {"tls.certificate=other/node-1.pem", "tls.key=other/node-1.key"}));
  CHECK_MESSAGE(text.find("other/node-1.pem") != std::string::npos, text);
}

TEST_CASE("a node with a key that is not its certificate's does not start") {
  cluster_lab lab{true};
  auto text = refusal_of(lab.command_of(1, {"tls.key=cluster/node-2.key"}));
  CHECK_MESSAGE(text.find("node-2.key") != std::string::npos, text);
}

TEST_CASE("a node without its key file does not start") {
  cluster_lab lab{true};
  auto text = refusal_of(lab.command_of(1, {"tls.key=cluster/absent.key"}));
  CHECK_MESSAGE(text.find("absent.key") != std::string::npos, text);
}

TEST_CASE("a node one of whose ports is taken does not start, and names it") {
  cluster_lab lab{true};
  for (const auto& [port, key] : {std::pair{lab.mesh_port(1), "mesh.listen"},
                                  {lab.gateway_port(1), "gateway.listen"},
                                  {lab.page_port(1), "host.page_listen"}}) {
    descriptor taken{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto where = on_loopback(port);
    REQUIRE(::bind(taken.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    REQUIRE(::listen(taken.get(), 1) == 0);
    auto command = lab.command_of(1);
    command.output = lab.folder() / key;
    auto text = refusal_of(command);
    CHECK_MESSAGE(text.find(key) != std::string::npos, text);
  }
}

TEST_CASE("a node that can't write to its state folder does not start") {
  cluster_lab lab{true};
  std::ofstream{lab.folder() / "file"} << "no folder\n"; // denies root, too
  auto text = refusal_of(lab.command_of(1, {"node.state=file/state"}));
  CHECK_MESSAGE(text.find("file/state") != std::string::npos, text);
}

TEST_CASE("a node whose state folder belongs to a running node does not start") {
  cluster_lab lab{true};
  lab.start(1);
  REQUIRE(lab.await_hosts(1));
  auto second = lab.command_of(1, {"mesh.listen=127.0.0.1:" + std::to_string(lab.mesh_port(2))});
  second.output = lab.folder() / "second.log";
  auto text = refusal_of(second);
  CHECK_MESSAGE(text.find(std::to_string(lab.process(1).pid())) != std::string::npos, text);
}

TEST_CASE("SIGTERM ends a node with status 0") {
  cluster_lab lab{true};
  lab.start(1);
  REQUIRE_MESSAGE(lab.await_hosts(1), lab.end_of_log(1));
  lab.process(1).signal(SIGTERM);
  REQUIRE(lab.process(1).wait(20s));
  CHECK(lab.process(1).ending() == "status 0");
}

TEST_CASE("garbage on the ports between nodes ends that connection and harms no node") {
  cluster_lab lab{true};
  lab.start(1);
  REQUIRE_MESSAGE(lab.await_hosts(1), lab.end_of_log(1));
  CHECK(is_closed_after_garbage(lab.mesh_port(1)));
  CHECK(is_closed_after_garbage(lab.page_port(1)));
  auto health = lab.ask("GET", "/health");
  REQUIRE(health.has_value());
  CHECK(health->status == 200);
  CHECK_FALSE(lab.process(1).wait(0ms)); // it lives
  lab.start(2);                          // both doors serve those who speak properly
  CHECK_MESSAGE(lab.await_hosts(2), lab.end_of_log(1));
}
