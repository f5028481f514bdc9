#include "actors/gateway/router.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

std::variant<match, no_match> look(listener door, std::string_view method,
                                   std::string_view target) {
  return find_route(door, method, parse_target(target).value());
}

action found(std::string_view method, std::string_view target) {
  return std::get<match>(look(listener::api, method, target)).found->what;
}

std::string allowed(std::string_view method, std::string_view target) {
  return std::get<no_match>(look(listener::api, method, target)).allow;
}

} // namespace

TEST_CASE("each path and method leads to its action") {
  CHECK(found("GET", "/api/v1/vms") == action::list_vms);
  CHECK(found("GET", "/api/v1/vms?limit=3") == action::list_vms);
  CHECK(found("POST", "/api/v1/vms") == action::create_vm);
  CHECK(found("GET", "/api/v1/vms/x") == action::read_vm);
  CHECK(found("DELETE", "/api/v1/vms/x") == action::delete_vm);
  CHECK(found("POST", "/api/v1/vms/x/start") == action::start_vm);
  CHECK(found("POST", "/api/v1/vms/x/migrate") == action::migrate_vm);
  CHECK(found("POST", "/api/v1/hosts/x/fenced") == action::fence_host);
  CHECK(found("POST", "/api/v1/hosts/x/evacuate") == action::evacuate_host);
  CHECK(found("GET", "/api/v1/events") == action::events);
  CHECK(found("GET", "/health") == action::health);
  auto read = std::get<match>(look(listener::api, "GET", "/api/v1/operations/a%2Fb"));
  CHECK(read.found->what == action::read_operation);
  CHECK(read.id == "a/b");
}

TEST_CASE("a method that isn't possible is told from a path that isn't there") {
  CHECK(allowed("PUT", "/api/v1/vms") == "GET, POST");
  CHECK(allowed("POST", "/api/v1/vms/x") == "GET, DELETE");
  CHECK(allowed("GET", "/api/v1/vms/x/start") == "POST");
  CHECK(allowed("GET", "/api/v1/nothing").empty());
  CHECK(allowed("GET", "/api/v1/vms/x/start/y").empty());
  CHECK(allowed("GET", "/").empty());
}

TEST_CASE("metrics are for operators, the API isn't on their port") {
  CHECK(allowed("GET", "/metrics").empty());
  auto metrics = look(listener::operators, "GET", "/metrics");
  REQUIRE(std::holds_alternative<match>(metrics));
  CHECK(!std::get<match>(metrics).found->token);
  CHECK(std::holds_alternative<no_match>(look(listener::operators, "GET", "/api/v1/vms")));
  CHECK(std::holds_alternative<match>(look(listener::operators, "GET", "/health")));
}

TEST_CASE("every route but health, ready, metrics and join, which is signed, asks for a token") {
  for (const auto& each : routes())
    CHECK_MESSAGE(each.token == (each.path.starts_with("/api/") && each.what != action::join),
                  each.path);
}

TEST_CASE("a target is taken apart and decoded") {
  auto target = parse_target("/a/b%20c?x=1%202+3&y=&z").value();
  CHECK(target.segments == std::vector<std::string>{"a", "b c"});
  CHECK(*target.find("x") == "1 2 3");
  CHECK(target.find("y")->empty());
  CHECK(target.find("z")->empty());
  CHECK(target.find("w") == nullptr);
}

TEST_CASE("a broken target is refused") {
  for (std::string_view bad : {"", "x", "http://x/", "*", "/%", "/%4", "/%zz", "/a?x=%", "/%00"}) {
    CAPTURE(std::string{bad});
    auto target = parse_target(bad);
    REQUIRE(!target);
    CHECK(target.error().status == 400);
  }
  CHECK(parse_target("/a?x=1&x=2").error().field == "?x");
}

TEST_CASE("parameters are checked, and named when they are wrong") {
  auto target = parse_target("/a?n=7&d=30s&m=250ms&bad=-1&huge=99999999999999999999").value();
  CHECK(number_parameter(target, "n", 1, 9, 5).value() == 7);
  CHECK(number_parameter(target, "absent", 1, 9, 5).value() == 5);
  CHECK(number_parameter(target, "n", 1, 6, 5).error().field == "?n");
  CHECK(number_parameter(target, "bad", 0, 9, 5).error().field == "?bad");
  CHECK(number_parameter(target, "huge", 0, 9, 5).error().field == "?huge");
  CHECK(duration_parameter(target, "d", 1h).value() == 30s);
  CHECK(duration_parameter(target, "m", 1h).value() == 250ms);
  CHECK(duration_parameter(target, "d", 10s).value() == 10s);
  CHECK(duration_parameter(target, "absent", 1h).value() == 0s);
  CHECK(duration_parameter(target, "n", 1h).error().field == "?n");
  CHECK(only_parameters(target, {"n", "d", "m", "bad", "huge"}).has_value());
  CHECK(only_parameters(target, {"n", "d", "m", "huge"}).error().field == "?bad");
}
