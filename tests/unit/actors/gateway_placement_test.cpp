#include "actors/gateway/maintenance_bodies.hpp"
#include "actors/gateway/request_bodies.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

std::string with_placement(const std::string& placement) {
  return R"({"name":"web-1","vcpus":1,"memory_mib":64,"image":"tick","placement":)" + placement
         + '}';
}

std::string field_of(const std::string& placement) {
  auto body = parse_create(with_placement(placement));
  return body ? "" : body.error().field;
}

} // namespace

TEST_CASE("a VM's placement rules are read, sorted, and each word once") {
  auto body = parse_create(with_placement(R"({"groups":["web","app","web"],
    "labels":{"required":{"disk":"ssd"},"preferred":{"zone":"a"}},
    "affinity":{"required":["app"],"preferred":["cache"]},
    "anti_affinity":{"required":["web"],"preferred":["db","batch"]}})"));
  REQUIRE(body.has_value());
  const auto& rules = body->spec.placement;
  CHECK(rules.groups == std::vector<std::string>{"app", "web"});
  CHECK(rules.required_labels == std::map<std::string, std::string>{{"disk", "ssd"}});
  CHECK(rules.preferred_labels == std::map<std::string, std::string>{{"zone", "a"}});
  CHECK(rules.required_affinity == std::vector<std::string>{"app"});
  CHECK(rules.preferred_affinity == std::vector<std::string>{"cache"});
  CHECK(rules.required_anti_affinity == std::vector<std::string>{"web"});
  CHECK(rules.preferred_anti_affinity == std::vector<std::string>{"batch", "db"});
}

TEST_CASE("what is wrong in a rule is named, however deep it stands") {
  CHECK(field_of("[]") == "/placement");
  CHECK(field_of(R"({"grups":[]})") == "/placement/grups");
  CHECK(field_of(R"({"groups":"web"})") == "/placement/groups");
  CHECK(field_of(R"({"groups":["web",7]})") == "/placement/groups/1");
  CHECK(field_of(R"({"groups":["a b"]})") == "/placement/groups/0");
  CHECK(field_of(R"({"labels":{"disk":"ssd"}})") == "/placement/labels/disk");
  CHECK(field_of(R"({"labels":{"required":{"disk":7}}})") == "/placement/labels/required/disk");
  CHECK(field_of(R"({"affinity":{"required":{}}})") == "/placement/affinity/required");
  CHECK(field_of(R"({"anti_affinity":{"must":[]}})") == "/placement/anti_affinity/must");
  CHECK(field_of("{}").empty());
}

TEST_CASE("a VM's networks are read, sorted, and each once") {
  const std::string vm = R"({"name":"web-1","vcpus":1,"memory_mib":64,"image":"tick","networks":)";
  auto body = parse_create(vm + R"(["lan","dmz","lan"]})");
  REQUIRE(body.has_value());
  CHECK(body->spec.networks == std::vector<std::string>{"dmz", "lan"});
  auto refused = parse_create(vm + R"(["lan",7]})");
  REQUIRE(!refused.has_value());
  CHECK(refused.error().field == "/networks/1");
}

TEST_CASE("a plan needs no name, a create does") {
  const std::string nameless = R"({"vcpus":1,"memory_mib":64,"image":"tick"})";
  CHECK(parse_plan(nameless).has_value());
  REQUIRE(!parse_create(nameless).has_value());
  CHECK(parse_create(nameless).error().field == "/name");
  CHECK(!parse_plan(R"({"name":"Web","vcpus":1,"memory_mib":64,"image":"tick"})").has_value());
}

TEST_CASE("a drain has a deadline or none, and says what happens then") {
  CHECK(parse_drain("")->deadline == 0ms);
  CHECK(parse_drain("{}")->parallel == 2);
  auto body = parse_drain(R"({"deadline":"10m","then":"stop","parallel":4})");
  REQUIRE(body.has_value());
  CHECK(body->deadline == 10min);
  CHECK(body->then == deadline_policy::stop);
  CHECK(body->parallel == 4);
  CHECK(parse_drain(R"({"deadline":"90s"})")->deadline == 90s);
  CHECK(parse_drain(R"({"deadline":"2h"})")->deadline == 2h);
  auto field = [](const std::string& text) {
    auto wrong = parse_drain(text);
    return wrong ? std::string{} : wrong.error().field;
  };
  CHECK(field(R"({"deadline":"soon"})") == "/deadline");
  CHECK(field(R"({"deadline":"10"})") == "/deadline");
  CHECK(field(R"({"deadline":"-3s"})") == "/deadline");
  CHECK(field(R"({"deadline":"200h"})") == "/deadline");
  CHECK(field(R"({"then":"stop"})") == "/then");
  CHECK(field(R"({"deadline":"1m","then":"burn"})") == "/then");
  CHECK(field(R"({"parallel":0})") == "/parallel");
  CHECK(field(R"({"paralel":1})") == "/paralel");
}

TEST_CASE("a rebalance says how far it may go") {
  CHECK(!parse_rebalance("")->plan);
  auto body = parse_rebalance(R"({"plan":true,"moves":8,"spread_percent":5,"parallel":1})");
  REQUIRE(body.has_value());
  CHECK(body->plan);
  CHECK(body->moves == 8);
  CHECK(body->spread_percent == 5);
  CHECK(body->parallel == 1);
  CHECK(!parse_rebalance(R"({"plan":"yes"})").has_value());
  CHECK(!parse_rebalance(R"({"moves":0})").has_value());
}
