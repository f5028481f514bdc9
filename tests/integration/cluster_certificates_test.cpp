#include "actors/peer/identity.hpp"
#include "actors/peer/openssl_handles.hpp"
#include "cluster_lab.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "messages/descriptor.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/secret_file.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <openssl/ssl.h>
#include <sys/socket.h>

// Certificates that are renewed under running nodes: processes, real TLS, simulated guests.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr auto limit = 60s;

struct certificates_lab : cluster_lab {
  fs::path keys = folder() / "cluster";

  certificates_lab() : cluster_lab{true} { start_all(); }

  [[nodiscard]] std::string ending_of(const std::vector<std::string>& arguments) const {
    auto child = child_process::start({NOVACRON_PROGRAM, arguments, folder() / "command.log"});
    REQUIRE(child.has_value());
    REQUIRE(child->wait(limit));
    return child->ending();
  }
  void renew(const std::string& name) const {
    REQUIRE(ending_of({"cluster", "renew", name, "--folder", keys.string()}) == "status 0");
  }
  /// Stops it in order, and starts it.
  void restart(int node, std::vector<std::string> more = {}) {
    process(node).signal(SIGTERM);
    REQUIRE(process(node).wait(20s));
    REQUIRE(process(node).ending() == "status 0");
    start(node, std::move(more));
  }
  [[nodiscard]] certificate_handle on_disk(const std::string& file) const {
    std::ifstream in{keys / file, std::ios::binary};
    return read_certificate(std::string{std::istreambuf_iterator<char>{in}, {}});
  }
  /// The certificate that the node shows at its door, for the mesh or for pages.
  [[nodiscard]] certificate_handle shown_at(int port) const {
    using context_handle = std::unique_ptr<SSL_CTX, openssl_free<SSL_CTX_free>>;
    using ssl_handle = std::unique_ptr<SSL, openssl_free<SSL_free>>;
    descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const timeval patience{10, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
      return {};
    context_handle context{SSL_CTX_new(TLS_client_method())};
    ssl_handle ssl{SSL_new(context.get())};
    SSL_set_fd(ssl.get(), socket.get());
    const auto shaken = SSL_connect(ssl.get()) == 1;
    ERR_clear_error();
    return certificate_handle{shaken ? SSL_get1_peer_certificate(ssl.get()) : nullptr};
  }
  [[nodiscard]] bool shows(int port, const std::string& file) const {
    auto theirs = shown_at(port);
    auto ours = on_disk(file);
    return theirs && ours && X509_cmp(theirs.get(), ours.get()) == 0;
  }
  [[nodiscard]] machine_sight guests_of(int node) const {
    auto sight = look_at_machine(machine_of_node(folder() / ("node-" + std::to_string(node))));
    REQUIRE(sight.has_value());
    return *sight;
  }
  /// A VM that runs there.
  [[nodiscard]] std::string run_on(const std::string& host) {
    for (int i = 0; i < 9; ++i) {
      const auto name = "vm-" + std::to_string(i);
      auto made = insist("POST", "/api/v1/vms", vm_body(name, 16), name);
      REQUIRE(made.status == 201);
      if (field_text(made.body, "host") != host)
        continue;
      const auto id = field_text(made.body, "id");
      REQUIRE(end_of(insist("POST", "/api/v1/vms/" + id + "/start", {}, name + "-start"))
              == "succeeded");
      return id;
    }
    FAIL("nothing was placed on " << host);
    return {};
  }
  /// One that is asked for just after a restart may be rolled back; then again.
  [[nodiscard]] bool moves(const std::string& vm, const std::string& to) const {
    int attempts = 0;
    return becomes_true(limit, [&] {
      const auto key = to + std::to_string(++attempts);
      const auto body = R"({"to":")" + to + "\"}";
      return await_vm(vm, "actual", "running")
             && end_of(insist("POST", "/api/v1/vms/" + vm + "/migrate", body, key)) == "succeeded";
    });
  }
  /// Node 1 has a link to each, over which it answers.
  [[nodiscard]] bool is_whole() const {
    return becomes_true(limit, [&] {
      auto reply = ask("GET", "/api/v1/cluster/actors");
      const auto* nodes = reply && reply->ok() ? field(reply->body, "nodes").if_array() : nullptr;
      return nodes && nodes->size() == 3 && std::ranges::all_of(*nodes, [](const auto& x) {
               return field_text(x, "reachable") == "true";
             });
    });
  }
};

} // namespace

TEST_CASE(
    "a node whose certificate is renewed goes on with the old one, and with the new one after "
    "a restart; its guests run all the while") {
  certificates_lab lab;
  const auto vm = lab.run_on("node-2");
  const auto before = lab.guests_of(2);
  REQUIRE(before.guests.size() == 1);
  lab.renew("node-2");
  CHECK(lab.shows(lab.mesh_port(2), "node-2.pem.old"));
  CHECK(lab.shows(lab.page_port(2), "node-2.pem.old"));
  // The only controller goes, and comes back: all links are made anew.
  lab.kill(1);
  lab.start(1);
  REQUIRE_MESSAGE(lab.await_hosts(3), lab.end_of_log(2));
  REQUIRE_MESSAGE(lab.is_whole(), lab.end_of_log(2));

  lab.restart(2);
  REQUIRE(becomes_true(limit, [&] { return lab.shows(lab.mesh_port(2), "node-2.pem"); }));
  CHECK(becomes_true(limit, [&] { return lab.shows(lab.page_port(2), "node-2.pem"); }));
  REQUIRE_MESSAGE(lab.is_whole(), lab.end_of_log(2));
  CHECK(lab.await_vm(vm, "actual", "running"));
  const auto after = lab.guests_of(2);
  CHECK(after.pid == before.pid);
  REQUIRE(after.guests.size() == 1);
  CHECK(after.guests[0].epoch == before.guests[0].epoch);
  CHECK(after.guests[0].phase == guest_phase::running);
  // Its doors and its own connections are for pages as well.
  CHECK(lab.moves(vm, "node-3"));
  CHECK(lab.moves(vm, "node-2"));

  // The old pair is good until it ends.
  lab.restart(2, {"tls.certificate=cluster/node-2.pem.old", "tls.key=cluster/node-2.key.old"});
  CHECK(becomes_true(limit, [&] { return lab.shows(lab.mesh_port(2), "node-2.pem.old"); }));
  CHECK_MESSAGE(lab.is_whole(), lab.end_of_log(2));
}

TEST_CASE("nodes that trust the CA's new certificate and its old one speak to each other") {
  certificates_lab lab;
  const auto vm = lab.run_on("node-2");
  REQUIRE(lab.ending_of({"cluster", "renew-ca", "--folder", lab.keys.string()}) == "status 0");
  REQUIRE(X509_cmp(lab.on_disk("ca.pem").get(), lab.on_disk("ca.pem.old").get()) != 0);
  lab.renew("node-3");
  lab.restart(3); // which has all that is new, and the others have what is old
  CHECK_MESSAGE(lab.is_whole(), lab.end_of_log(3));
  CHECK(lab.moves(vm, "node-3"));
  lab.restart(1); // the controller
  lab.restart(2);
  REQUIRE_MESSAGE(lab.await_hosts(3), lab.end_of_log(1));
  CHECK_MESSAGE(lab.is_whole(), lab.end_of_log(1));
  CHECK(lab.moves(vm, "node-2"));
}

TEST_CASE("a renewed certificate does not bring back a node that was removed") {
  certificates_lab lab;
  client_reply removed;
  REQUIRE_MESSAGE(becomes_true(limit,
                               [&] { // the log hears of it a moment after its host is up
                                 auto reply = lab.ask("POST", "/api/v1/nodes/node-3/remove");
                                 removed = reply ? *reply : client_reply{};
                                 return removed.status == 202;
                               }),
                  boost::json::serialize(removed.body));
  lab.renew("node-3");
  lab.kill(3);
  fs::remove_all(lab.folder() / "node-3"); // it has forgotten that itself
  fs::remove(lab.folder() / "node-3.log");
  lab.start(3);
  CHECK_MESSAGE(becomes_true(limit,
                             [&] {
                               return lab.end_of_log(3).find("its certificate counts no more")
                                      != std::string::npos;
                             }),
                lab.end_of_log(3));
  CHECK(lab.ending_of({"cluster", "renew", "node-9", "--folder", lab.keys.string()}) == "status 2");
}

TEST_CASE("a node whose certificate's files are broken while it runs goes on, and lets others in") {
  certificates_lab lab;
  for (const auto* each : {"node-1.key", "node-1.pem", "ca.pem"})
    std::ofstream{lab.keys / each} << "half a file";
  CHECK(lab.shown_at(lab.mesh_port(1)));
  CHECK(lab.shown_at(lab.page_port(1)));
  CHECK_FALSE(lab.process(1).wait(0ms)); // it lives
  auto health = lab.ask("GET", "/health");
  REQUIRE(health.has_value());
  CHECK(health->status == 200);
}

TEST_CASE("a node whose certificate ends in ten days says so in its log when it starts") {
  cluster_lab lab{true};
  const auto keys = lab.folder() / "cluster";
  auto read = [&](const std::string& name) {
    auto text = read_small_file(keys / name, "a file");
    REQUIRE(text.has_value());
    return *text;
  };
  auto authority = certificate_authority::load({read("ca.pem"), read("ca.key")});
  auto self = identity_of(read("node-1.pem"));
  REQUIRE(authority.has_value());
  REQUIRE(self.has_value());
  certificate_request request;
  request.name = "node-1";
  request.node = self->node;
  request.roles = self->roles;
  request.valid_for = 24h * 10;
  auto pair = authority->issue(request);
  REQUIRE(pair.has_value());
  std::ofstream{keys / "node-1.pem"} << pair->certificate;
  std::ofstream{keys / "node-1.key"} << pair->key;
  lab.start(1);
  REQUIRE_MESSAGE(lab.await_hosts(1), lab.end_of_log(1));
  CHECK_MESSAGE(becomes_true(limit,
                             [&] {
                               return lab.end_of_log(1).find("the node's certificate ends soon")
                                      != std::string::npos;
                             }),
                lab.end_of_log(1));
}
