#include "actors/gateway/api.hpp"
#include "gateway_edge.hpp"
#include "tests/becomes_true.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

// What clients can make a gateway hold, and what it does when that is too much.

using namespace novacron;
using namespace std::chrono_literals;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Without a body, which may be `length` bytes long.
std::string head_of_post(size_t length, const std::string& target = "/api/v1/vms") {
  return "POST " + target
         + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: "
         + std::to_string(length) + "\r\n\r\n";
}

const std::string head_of_chunked
    = "POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";

void check_shed(const std::string& answer) {
  CHECK_MESSAGE(status(answer) == 503, answer);
  CHECK(holds(answer, "Retry-After: 1"));
  CHECK(holds(answer, "overloaded"));
}

/// The value of a metric without labels.
uint64_t metric(const std::string& text, const std::string& name) {
  const auto at = text.find('\n' + name + ' ');
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size() + 2));
}

struct overload_fixture : edge_fixture {
  static gateway_config roomy() {
    auto x = short_limits();
    x.limits.connections = 50;
    x.limits.in_flight = 50;
    return x;
  }
  explicit overload_fixture(const gateway_config& x = roomy()) : edge_fixture{x} {
    // nop
  }

  /// So many VMs whose JSON is somewhat longer than `bytes`.
  void fill(uint64_t count, size_t bytes) const {
    for (uint64_t n = 1; n <= count; ++n) {
      auto vm = vm_of(n, n + 1);
      vm.spec.kernel_arguments = std::string(bytes, 'x');
      view->changed(vm);
      view->advance(n + 1);
    }
  }
  [[nodiscard]] bool shed(const std::string& reason) const {
    return !holds(metrics(), "shed_total{reason=\"" + reason + "\"} 0");
  }
};

} // namespace

TEST_CASE("bodies share a budget: who doesn't fit is told at once, who is slow gives it back") {
  auto config = overload_fixture::roomy();
  config.limits.bodies_bytes = 15'000;
  overload_fixture x{config};
  test_connection slow{x.port};
  slow.send(head_of_post(10'000) + "{");
  REQUIRE(becomes_true(10s, [&] { return holds(x.metrics(), "novacron_api_body_bytes 10000"); }));
  {
    test_connection other{x.port};
    other.send(head_of_post(10'000)); // announced, none sent
    check_shed(other.receive());
    CHECK(other.receive_all().empty()); // its body isn't waited for
  }
  {
    test_connection growing{x.port};
    growing.send(head_of_chunked + "1f40\r\n" + std::string(8'000, 'x')); // and no end
    check_shed(growing.receive());
  }
  CHECK(x.shed("bodies"));
  CHECK(status(x.ask("POST /api/v1/vms", good_create)) == 201);
  CHECK(slow.receive_all().empty()); // too slow
  CHECK(status(x.ask("POST /api/v1/vms", std::string(10'000, 'x'))) == 400);
  CHECK(becomes_true(10s, [&] { return holds(x.metrics(), "novacron_api_body_bytes 0"); }));
}

TEST_CASE("a body in chunks is taken where it fits, and given back") {
  overload_fixture x;
  test_connection connection{x.port};
  for (int i = 0; i < 2; ++i) {
    connection.send(head_of_chunked + "5\r\n" + std::string(5, ' '));
    connection.send("\r\n5\r\n     \r\n0\r\n\r\n");
    CHECK(status(connection.receive()) == 400); // blanks are no VM
  }
  CHECK(becomes_true(10s, [&] { return holds(x.metrics(), "novacron_api_body_bytes 0"); }));
}

TEST_CASE_FIXTURE(overload_fixture, "a body is read only from those who may send it") {
  auto refused = [&](const std::string& head) {
    test_connection connection{port};
    connection.send(head); // and no body
    return status(connection.receive());
  };
  CHECK(refused("POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n") == 401);
  CHECK(refused(head_of_post(9'000, "/api/v1/nothing")) == 404);
  CHECK(refused(head_of_post(9'000, "/health")) == 405);
}

TEST_CASE("whoever needs no token has a shorter body") {
  auto config = overload_fixture::roomy();
  config.limits.open_body_bytes = 500;
  overload_fixture x{config};
  test_connection connection{x.port};
  connection.send(head_of_post(501, "/api/v1/join"));
  CHECK(status(connection.receive()) == 413);
  CHECK(status(x.ask("POST /api/v1/join", std::string(500, ' '))) == 404); // it has no desk
}

TEST_CASE_FIXTURE(overload_fixture, "headers that come one by one are bounded in sum") {
  test_connection connection{port};
  connection.send("GET /health HTTP/1.1\r\n");
  for (int i = 0; i < 3'000; ++i) // without an end
    connection.send("a: b\r\n");
  CHECK(status(connection.receive()) == 431);
  test_connection large{port};
  large.send("GET /health HTTP/1.1\r\n");
  for (int i = 0; i < 20; ++i)
    large.send("a: " + std::string(1'000, 'x') + "\r\n");
  CHECK(status(large.receive()) == 431);
}

TEST_CASE_FIXTURE(overload_fixture, "short headers are bounded in number") {
  auto with = [&](int count) {
    test_connection connection{port};
    std::string text = "GET /health HTTP/1.1\r\n";
    for (int i = 0; i < count; ++i)
      text += "a:\r\n";
    connection.send(text + "\r\n");
    return status(connection.receive());
  };
  CHECK(with(100) == 200);
  CHECK(with(101) == 431);
}

TEST_CASE_FIXTURE(overload_fixture, "what stands beside a chunked body is bounded, too") {
  test_connection extension{port};
  extension.send(head_of_chunked + "5;" + std::string(60'000, 'x')); // a line without an end
  CHECK(status(extension.receive()) == 431);
  test_connection trailer{port};
  std::string text = head_of_chunked + "0\r\n";
  for (int i = 0; i < 101; ++i)
    text += "a:\r\n";
  trailer.send(text + "\r\n");
  CHECK(status(trailer.receive()) == 431);
}

TEST_CASE("large answers share a budget: what doesn't fit is 503, and each gives its part back") {
  auto config = overload_fixture::roomy();
  config.limits.answers_bytes = 6u << 20;
  config.limits.write_time = 10s;
  overload_fixture x{config};
  x.fill(900, 5'000); // of which a page takes 4 MiB
  const auto list = edge_fixture::request("GET /api/v1/vms?limit=1000");
  test_connection slow{x.port};
  slow.send(list);
  REQUIRE(becomes_true(
      10s, [&] { return metric(x.metrics(), "novacron_api_answer_bytes") > (3u << 20); }));
  test_connection other{x.port};
  other.send(list);
  check_shed(other.receive());
  CHECK(x.shed("answers"));
  CHECK(status(x.ask("GET /api/v1/vms?limit=1")) == 200); // a small one always goes
  CHECK(slow.receive().size() > (4u << 20) - 10'000);
  for (int i = 0; i < 5; ++i) {
    other.send(list);
    CHECK(status(other.receive()) == 200);
  }
}

TEST_CASE("a change that was made is told though there is no room for what it made") {
  auto config = overload_fixture::roomy();
  config.limits.answers_bytes = 1;
  config.limits.body_bytes = 1u << 20;
  overload_fixture x{config};
  std::string quotes;
  for (int i = 0; i < 256; ++i)
    quotes += R"(\")";
  std::string labels;
  for (int n = 0; n < 32; ++n)
    labels += (n == 0 ? R"("l)" : R"(,"l)") + std::to_string(n) + R"(":")" + quotes + '"';
  const auto made = x.ask("POST /api/v1/vms", R"({"name":"web-1","vcpus":2,"memory_mib":256,)"
                                              R"("image":"debian","labels":{)"
                                                  + labels + "}}");
  REQUIRE_MESSAGE(status(made) == 201, made);
  const auto at = made.find("Location: /api/v1/vms/");
  REQUIRE(at != std::string::npos);
  CHECK(holds(made, R"({"id":")" + made.substr(at + 22, 36) + R"("})"));
}

TEST_CASE("answers that many wait for are counted as they are made, not as they are sent") {
  auto config = overload_fixture::roomy();
  config.limits.answers_bytes = 1u << 20;
  overload_fixture x{config};
  x.fill(100, 5'000); // half a mebibyte
  std::vector<std::unique_ptr<test_connection>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(std::make_unique<test_connection>(x.port));
    waiting.back()->send(edge_fixture::request("GET /api/v1/vms?min_revision=102"));
  }
  REQUIRE(becomes_true(10s, [&] {
    return metric(x.metrics(), "novacron_api_requests_in_flight") >= waiting.size();
  }));
  x.view->changed(vm_of(1, 102));
  x.view->advance(102); // all are answered from here
  const auto sent = std::ranges::count_if(
      waiting, [](const auto& each) { return status(each->receive()) == 200; });
  CHECK(sent >= 1);
  CHECK(sent < 20);
  CHECK(x.shed("answers"));
}

TEST_CASE("WebSockets get a few events at a time where there is no room for more") {
  auto config = overload_fixture::roomy();
  config.limits.answers_bytes = 1'000;
  overload_fixture x{config};
  x.fill(300, 300);
  test_connection socket{x.port};
  socket.send(edge_fixture::request("GET /api/v1/events?since=1", "", upgrade_headers));
  CHECK(status(socket.receive()) == 101);
  std::string seen;
  for (auto frame = receive_frame(socket); !frame.empty(); frame = receive_frame(socket)) {
    CHECK(frame.size() <= 16u << 10);
    seen += frame;
    if (holds(frame, "\"vm-300\""))
      break;
  }
  for (int n = 1; n <= 300; ++n)
    CHECK_MESSAGE(holds(seen, "\"vm-" + std::to_string(n) + '"'), n);
}

TEST_CASE("WebSockets that take nothing hold no more frames than the budget, and go on later") {
  auto config = overload_fixture::roomy();
  config.limits.answers_bytes = 3u << 20;
  config.limits.write_time = 60s;
  overload_fixture x{config};
  x.fill(1'000, 50'000); // 50 MB
  std::vector<std::unique_ptr<test_connection>> slow;
  for (int i = 0; i < 8; ++i) { // each from another place
    slow.push_back(std::make_unique<test_connection>(x.port));
    slow.back()->send(edge_fixture::request("GET /api/v1/events?since=" + std::to_string(10 + i),
                                            "", upgrade_headers));
  }
  auto held = [&] { return metric(x.metrics(), "novacron_api_answer_bytes"); };
  CHECK(becomes_true(10s, [&] { return held() > (2u << 20); }));
  CHECK_FALSE(becomes_true(300ms, [&] { return held() > (3u << 20); }));
  test_connection quick{x.port};
  quick.send(edge_fixture::request("GET /api/v1/events", "", upgrade_headers));
  CHECK(status(quick.receive()) == 101);
  x.view->changed(vm_of(2'000, 2'000));
  x.view->advance(2'000);
  CHECK(holds(receive_frame(quick), "vm-2000"));
  auto one = std::move(slow.back());
  slow.clear();
  CHECK(status(one->receive()) == 101);
  for (std::string frame; !holds(frame, "vm-2000");) {
    frame = receive_frame(*one);
    REQUIRE(!frame.empty());
  }
}

TEST_CASE_FIXTURE(overload_fixture, "a request for a WebSocket has no body") {
  test_connection socket{port};
  socket.send(request("GET /api/v1/events", "x", upgrade_headers));
  CHECK(status(socket.receive()) == 400);
}

TEST_CASE("an overloaded gateway still lets operators see") {
  auto config = overload_fixture::roomy();
  config.limits.connections = 2;
  config.limits.in_flight = 1;
  overload_fixture x{config};
  x.log->silent = true;
  test_connection one{x.port}, two{x.port};
  one.send(edge_fixture::request("POST /api/v1/vms", good_create));
  REQUIRE(becomes_true(10s, [&] { return x.log->size() == 1; }));
  two.send(edge_fixture::request("GET /health"));
  check_shed(two.receive());
  CHECK(status(x.metrics()) == 200);
  CHECK(x.shed("in_flight"));
}

TEST_CASE("the API's connections take half of the process's descriptors at most") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few{80, before.rlim_max};
  auto config = edge_fixture::short_limits();
  config.limits.connections = 10'000;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  auto x = std::make_unique<overload_fixture>(config);
  const bool started = becomes_true(10s, [&] { return status(x->ask("GET /health")) == 200; });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(started);
  std::vector<std::unique_ptr<test_connection>> open;
  for (int i = 0; i < 41; ++i) {
    open.push_back(std::make_unique<test_connection>(x->port));
    if (i < 40)
      open.back()->send(edge_fixture::request("GET /health"));
  }
  for (int i = 0; i < 40; ++i)
    CHECK(status(open[static_cast<size_t>(i)]->receive()) == 200);
  check_shed(open.back()->receive());
}

TEST_CASE("requests without a token take an eighth of the places, and leave them") {
  auto view = std::make_shared<view_table>();
  const small_log log{view};
  std::vector<std::function<void(std::optional<group_status>)>> asked;
  api::backend way;
  way.status = [&](group_status_request, auto done) { asked.push_back(std::move(done)); };
  gateway_limits limits;
  auto sheds = std::make_shared<shed_count>();
  limits.in_flight = 16;
  auto served = std::make_shared<const api>(
      limits, token_table::make({{"ann", sha256_hex("secret")}}).value(), view, way,
      std::make_shared<api_metrics>(nullptr, sheds));
  std::vector<unsigned> answers;
  auto ask = [&](listener door, const std::string& target, const std::string& token) {
    api_request request;
    request.door = door;
    request.method = "GET";
    request.target = target;
    request.authorization = token;
    served->handle(request, [&](const api_answer& answer) { answers.push_back(answer.status); });
  };
  for (int i = 0; i < 3; ++i)
    ask(listener::api, "/ready", "");
  CHECK(answers == std::vector<unsigned>{503});
  CHECK(sheds->total() == 0); // one more gateway isn't for strangers
  CHECK(asked.size() == 2);
  ask(listener::api, "/health", "");
  CHECK(answers == std::vector<unsigned>{503, 200});
  answers.pop_back();
  ask(listener::operators, "/ready", "");
  ask(listener::api, "/api/v1/cluster", "Bearer secret");
  CHECK(asked.size() == 4);
  group_status led;
  led.leads = node_id{uuid_of(1)};
  asked.front()(led);
  CHECK(answers == std::vector<unsigned>{503, 200});
  asked.front() = {};
  ask(listener::api, "/ready", "");
  CHECK(asked.size() == 5);
}
