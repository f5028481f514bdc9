#include "actors/gateway/errors.hpp"
#include "gateway_edge.hpp"
#include "tests/becomes_true.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <sys/socket.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(edge_fixture, "a VM is created, read and listed over one connection") {
  test_connection connection{port};
  connection.send(request("POST /api/v1/vms", good_create));
  auto created = connection.receive();
  CHECK(status(created) == 201);
  auto at = created.find("Location: ") + 10;
  auto path = created.substr(at, created.find("\r\n", at) - at);
  connection.send(request("GET " + path));
  CHECK(status(connection.receive()) == 200);
  connection.send(request("GET /api/v1/vms"));
  CHECK(connection.receive().find("\"web-1\"") != std::string::npos);
}

TEST_CASE_FIXTURE(edge_fixture, "requests that were sent ahead are answered in order") {
  test_connection connection{port};
  connection.send(request("POST /api/v1/vms", good_create) + request("GET /api/v1/hosts")
                  + request("GET /api/v1/nothing"));
  CHECK(status(connection.receive()) == 201);
  CHECK(connection.receive().find("node-9") != std::string::npos);
  CHECK(status(connection.receive()) == 404);
}

TEST_CASE_FIXTURE(edge_fixture,
                  "an answer to HEAD has no content that the next one could be read from") {
  test_connection connection{port};
  connection.send(request("HEAD /health") + request("GET /health", "", "Connection: close\r\n"));
  auto answers = connection.receive_all();
  CHECK(status(answers) == 405);
  auto next = answers.find("\r\n\r\n") + 4;
  CHECK(status(answers.substr(next)) == 200);
}

TEST_CASE_FIXTURE(edge_fixture, "no token is 401") {
  test_connection connection{port};
  connection.send("GET /api/v1/vms HTTP/1.1\r\nHost: x\r\n\r\n");
  auto answer = connection.receive();
  CHECK(status(answer) == 401);
  CHECK(answer.find("application/problem+json") != std::string::npos);
}

TEST_CASE_FIXTURE(edge_fixture, "a wrong method is 405 and names the right ones") {
  auto answer = ask("PUT /api/v1/vms");
  CHECK(status(answer) == 405);
  CHECK(answer.find("\r\nAllow: GET, POST\r\n") != std::string::npos);
}

TEST_CASE_FIXTURE(edge_fixture, "a body that is too long is 413, announced or sent") {
  CHECK(status(ask("POST /api/v1/vms", std::string(2u << 20, 'x'))) == 413);
  test_connection connection{port};
  connection.send("POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n"
                  "4000\r\n"
                  + std::string(0x4000, 'x') + "\r\n");
  CHECK(status(connection.receive()) == 413);
}

TEST_CASE_FIXTURE(edge_fixture, "a client that still sends when it is refused isn't reset") {
  test_connection connection{port};
  connection.send("POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
                  "Content-Length: 2000000\r\n\r\n");
  CHECK(status(connection.receive()) == 413);
  for (int i = 0; i < 20; ++i)
    connection.send(std::string(100'000, 'x'));
  CHECK(connection.receive_all().empty());
  CHECK(!connection.was_reset());
}

TEST_CASE_FIXTURE(edge_fixture, "headers that are too long are 431") {
  test_connection connection{port};
  connection.send("GET /health HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  CHECK(status(connection.receive()) == 431);
  test_connection line{port};
  line.send("GET /health?" + std::string(10'000, 'x') + " HTTP/1.1\r\n\r\n");
  CHECK(status(line.receive()) == 431);
}

TEST_CASE_FIXTURE(edge_fixture, "a body is sent only after 100 Continue where the client waits") {
  test_connection connection{port};
  auto whole = request("POST /api/v1/vms", good_create, "Expect: 100-continue\r\n");
  auto head = whole.find("\r\n\r\n") + 4;
  connection.send(whole.substr(0, head));
  CHECK(status(connection.receive()) == 100);
  connection.send(whole.substr(head));
  CHECK(status(connection.receive()) == 201);
}

TEST_CASE_FIXTURE(edge_fixture, "garbage is 400 and ends the connection, nothing else") {
  test_connection connection{port};
  connection.send(request("GET /health") + "\x16\x03\x01 garbage \r\n\r\n more\r\n\r\n");
  CHECK(status(connection.receive()) == 200);
  auto rest = connection.receive_all();
  CHECK(status(rest) == 400);
  CHECK(rest.find("\nHTTP/1.1 ") == std::string::npos); // no second answer
  CHECK(status(ask("GET /health")) == 200);
}

TEST_CASE_FIXTURE(edge_fixture, "a client that sends its headers too slowly is cut off") {
  test_connection connection{port};
  connection.send("GET /health HTTP/1.1\r\nHost:");
  const auto began = std::chrono::steady_clock::now();
  CHECK(connection.receive_all().empty());
  CHECK(std::chrono::steady_clock::now() - began < 3s); // long before it counts as idle
}

TEST_CASE_FIXTURE(edge_fixture, "a client that sends its body too slowly is cut off") {
  test_connection connection{port};
  connection.send("POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
                  "Content-Length: 100\r\n\r\n{");
  CHECK(connection.receive_all().empty());
  CHECK(log->commands.empty());
}

TEST_CASE_FIXTURE(edge_fixture,
                  "connections beyond the limit are told so, and make room when they end") {
  {
    test_connection one{port}, two{port}, three{port};
    for (auto* each : {&one, &two, &three}) {
      each->send(request("GET /health"));
      CHECK(status(each->receive()) == 200);
    }
    test_connection four{port};
    auto refused = four.receive(); // it need not even ask
    CHECK(status(refused) == 503);
    CHECK(refused.find("Retry-After: 1") != std::string::npos);
    CHECK(refused.find("overloaded") != std::string::npos);
    test_connection five{port}; // even those who are told are too many
    CHECK(five.receive().empty());
    CHECK(metrics().find("shed_total{reason=\"connections\"} 2") != std::string::npos);
  }
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (status(ask("GET /health")) != 200)
    REQUIRE(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE_FIXTURE(edge_fixture, "requests beyond the limit are 503, those of a silent log too") {
  log->silent = true;
  test_connection one{port}, two{port};
  const auto start = request("POST /api/v1/vms/" + to_string(uuid_of(1)) + "/start");
  one.send(start);
  two.send(start);
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (log->size() < 2)
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  test_connection three{port};
  three.send(start);
  auto refused = three.receive();
  CHECK(status(refused) == 503);
  CHECK(refused.find("Retry-After: 1") != std::string::npos);
  CHECK(refused.find("overloaded") != std::string::npos);
  for (auto* each : {&one, &two}) {
    auto answer = each->receive();
    CHECK(status(answer) == 503);
    CHECK(answer.find("unknown_outcome") != std::string::npos);
  }
  log->silent = false;
  three.send(start);
  CHECK(status(three.receive()) == 202);
}

TEST_CASE_FIXTURE(edge_fixture,
                  "a gateway that dies closes its connections, and comes back on its port") {
  test_connection before{port};
  before.send(request("GET /health"));
  CHECK(status(before.receive()) == 200);
  gateway.kill();
  CHECK(before.receive_all().empty());
  test_connection meanwhile{port}; // waits in the kernel's queue
  meanwhile.send(request("GET /api/v1/hosts"));
  gateway.start();
  CHECK(status(meanwhile.receive()) == 200);
}

TEST_CASE_FIXTURE(edge_fixture,
                  "a gateway that dies while the log is asked leaves nothing behind") {
  log->silent = true;
  test_connection connection{port};
  connection.send(request("POST /api/v1/vms", good_create));
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (log->size() < 1)
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  gateway.kill();
  connection.receive_all();
}

TEST_CASE_FIXTURE(edge_fixture,
                  "a WebSocket sends the events after a revision, then the new ones") {
  log->touch(1);
  auto revision = log->touch(2);
  test_connection socket{port};
  socket.send(
      request("GET /api/v1/events?since=" + std::to_string(revision - 1), "", upgrade_headers));
  CHECK(status(socket.receive()) == 101);
  auto first = receive_frame(socket);
  CHECK(first.find("vm-2") != std::string::npos);
  CHECK(first.find("vm-1") == std::string::npos);
  CHECK(first.front() == '[');
  log->touch(3);
  CHECK(receive_frame(socket).find("vm-3") != std::string::npos);
}

TEST_CASE_FIXTURE(edge_fixture,
                  "a WebSocket is refused without a token, or from a time that is gone") {
  {
    test_connection socket{port};
    socket.send("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n" + upgrade_headers + "\r\n");
    CHECK(status(socket.receive()) == 401);
  }
  test_connection socket{port};
  socket.send(request("GET /api/v1/events?since=0", "", upgrade_headers));
  CHECK(status(socket.receive()) == 410);
}

TEST_CASE_FIXTURE(edge_fixture, "a WebSocket that was overtaken by a new listing is closed") {
  test_connection socket{port};
  socket.send(request("GET /api/v1/events", "", upgrade_headers));
  CHECK(status(socket.receive()) == 101);
  view->keep_only({});
  view->advance(50);
  CHECK(receive_frame(socket) == "closed 1008"); // policy: list again
}

TEST_CASE("a WebSocket that takes nothing for too long is closed") {
  auto config = edge_fixture::short_limits();
  config.limits.write_time = 500ms;
  config.limits.idle_time = 60s; // not because it answers no ping
  edge_fixture x{config};
  test_connection slow{x.port};
  slow.send(edge_fixture::request("GET /api/v1/events", "", upgrade_headers));
  CHECK(status(slow.receive()) == 101);
  auto open = [&x] {
    return x.metrics().find("novacron_websocket_connections_active 1") != std::string::npos;
  };
  CHECK(open());
  auto large = vm_of(1, 1);
  large.spec.kernel_arguments = std::string(50'000, 'x');
  for (uint64_t revision = 2; revision < 800; ++revision) { // more than two sockets hold
    large.revision = revision;
    x.view->changed(large);
    x.view->advance(revision);
  }
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (open())
    REQUIRE(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE_FIXTURE(edge_fixture,
                  "metrics are served on the operators' port alone, without a token") {
  test_connection operators{config.ports->operator_port()};
  operators.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(operators.receive().find("novacron_websocket_connections_active 0") != std::string::npos);
  CHECK(status(ask("GET /metrics")) == 404);
}

TEST_CASE_FIXTURE(edge_fixture, "an actor is killed over HTTP") {
  CHECK(status(ask("POST /api/v1/chaos/kill", R"({"node":"node-9","actor":"host/vm:1"})")) == 200);
  CHECK(gateway.killed() == std::vector<std::string>{"host/vm:1"});
}

TEST_CASE_FIXTURE(edge_fixture, "the actors are shown over HTTP") {
  auto answer = ask("GET /api/v1/cluster/actors?node=node-9");
  CHECK(status(answer) == 200);
  CHECK(answer.find(R"("path":"node-1/services")") != std::string::npos);
}

TEST_CASE("a port that is taken is told before anything starts") {
  gateway_config config;
  config.port = 0;
  config.operator_port = 0;
  auto first = bind_gateway(config).value();
  config.port = first->api_port();
  auto second = bind_gateway(config);
  REQUIRE(!second);
  CHECK(second.error().code == gateway_errc::port_taken);
  CHECK(second.error().message.find(std::to_string(config.port)) != std::string::npos);
}

TEST_CASE("gateways share the API's port where both say so, and never the operators'") {
  gateway_config config;
  config.port = 0;
  config.operator_port = 0;
  config.share_port = true;
  auto first = bind_gateway(config).value();
  config.port = first->api_port();
  CHECK(bind_gateway(config).has_value());
  REQUIRE(::listen(first->api_socket(), 1) == 0); // as it does once it can serve
  CHECK(bind_gateway(config).has_value());
  config.share_port = false;
  CHECK(bind_gateway(config).error().code == gateway_errc::port_taken);
  config.share_port = true;
  config.operator_port = first->operator_port();
  CHECK(bind_gateway(config).error().code == gateway_errc::port_taken);
}

TEST_CASE("a gateway that shares its port takes no connection before it can serve") {
  auto config = edge_fixture::short_limits();
  config.share_port = true;
  config.ports = bind_gateway(config).value();
  const auto port = config.ports->api_port();
  auto view = std::make_shared<view_table>();
  running_gateway gateway{config, view, [](const command&) { return std::nullopt; }};
  auto served = [port] {
    try {
      test_connection connection{port};
      connection.send(edge_fixture::request("GET /health"));
      return status(connection.receive()) == 200;
    } catch (const std::runtime_error&) {
      return false; // refused
    }
  };
  CHECK_FALSE(becomes_true(300ms, served));
  view->keep_only({});
  view->advance(1);
  CHECK(becomes_true(10s, served));
}

TEST_CASE("a gateway that can't listen yet at a port that it shares isn't ready") {
  auto config = edge_fixture::short_limits();
  config.share_port = true;
  config.ports = bind_gateway(config).value();
  auto other = config; // which doesn't share, and listens first
  other.share_port = false;
  other.port = config.ports->api_port();
  auto taken = std::make_optional(bind_gateway(other).value());
  auto view = std::make_shared<view_table>();
  view->keep_only({});
  view->advance(1);
  running_gateway gateway{config, view, [](const command&) { return std::nullopt; }};
  auto ready = [port = config.ports->operator_port()] {
    test_connection operators{port};
    operators.send("GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return operators.receive();
  };
  const auto answer = ready();
  CHECK(status(answer) == 503);
  CHECK(answer.find("doesn't share it") != std::string::npos);
  taken.reset();
  CHECK(becomes_true(10s, [&] { return status(ready()) == 200; }));
}

TEST_CASE("an address that is none is refused") {
  gateway_config config;
  config.address = "localhost:80";
  CHECK(bind_gateway(config).error().code == gateway_errc::bad_address);
}
