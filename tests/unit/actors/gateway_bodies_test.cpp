#include "actors/gateway/request_bodies.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct bad_body {
  std::string body;
  std::string field; ///< what the problem must name
};

/// A good body of create with one field replaced, or added.
std::string with(const std::string& key, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> fields{
      {"name", R"("web-1")"}, {"vcpus", "2"}, {"memory_mib", "256"}, {"image", R"("debian")"}};
  std::string result = "{";
  for (auto& [name, content] : fields)
    if (name != key)
      result += '"' + name + "\":" + content + ',';
  return result + '"' + key + "\":" + value + '}';
}

std::string without(const std::string& key) {
  auto body = with(key, "0");
  return body.substr(0, body.rfind(",\"")) + '}';
}

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

std::string many_labels(int count) {
  std::string result = "{";
  for (int i = 0; i < count; ++i)
    result += (i == 0 ? "\"l" : ",\"l") + std::to_string(i) + "\":\"x\"";
  return result + '}';
}

} // namespace

TEST_CASE("a create with every field is understood") {
  auto body = parse_create(R"({"name":"web-1","vcpus":2,"memory_mib":512,"image":"debian-12",
    "kernel_arguments":"console=ttyS0,115200 quiet","restart":"on_failure",
    "labels":{"team":"blau","a/b":"ö"}})");
  REQUIRE(body.has_value());
  CHECK(body->name == "web-1");
  CHECK(body->spec.vcpus == 2);
  CHECK(body->spec.memory_mib == 512);
  CHECK(body->spec.image == "debian-12");
  CHECK(body->spec.kernel_arguments == "console=ttyS0,115200 quiet");
  CHECK(body->spec.restart == restart_policy::on_failure);
  CHECK(body->spec.labels == std::map<std::string, std::string>{{"team", "blau"}, {"a/b", "ö"}});
}

TEST_CASE("the smallest and the largest VM are possible") {
  CHECK(parse_create(with("vcpus", "1")).has_value());
  CHECK(parse_create(with("vcpus", "64")).has_value());
  CHECK(parse_create(with("memory_mib", "16")).has_value());
  CHECK(parse_create(with("memory_mib", "1048576")).has_value());
  CHECK(parse_create(with("name", quoted(std::string(63, 'a')))).has_value());
  CHECK(parse_create(with("kernel_arguments", quoted(std::string(1'024, 'a')))).has_value());
  CHECK(parse_create(with("labels", many_labels(32))).has_value());
}

TEST_CASE("a bad create is refused with 400 and the field's name") {
  const std::vector<bad_body> table{
      // not JSON, or not as we want it
      {"", ""},
      {"{", ""},
      {"nonsense", ""},
      {"[]", ""},
      {"null", ""},
      {R"({"name":"a"} x)", ""},
      {"{\"name\":\"\xff\"}", ""},
      {"{'name':1}", ""},
      {R"({"name":"a",})", ""},
      {R"({"a":[[[[[[[[[1]]]]]]]]]})", ""},
      {R"({"name":NaN})", ""},
      {R"({"name":"a","name":"b"})", "/name"},
      {R"({"labels":{"x":"1","x":"2"}})", "/labels/x"},
      // unknown and missing
      {with("nmae", "1"), "/nmae"},
      {with("a/b~c", "1"), "/a~1b~0c"},
      {with("host", R"("node-1")"), "/host"},
      {without("name"), "/name"},
      {without("vcpus"), "/vcpus"},
      {without("memory_mib"), "/memory_mib"},
      {without("image"), "/image"},
      // wrong type
      {with("name", "1"), "/name"},
      {with("name", "null"), "/name"},
      {with("vcpus", R"("2")"), "/vcpus"},
      {with("vcpus", "2.0"), "/vcpus"},
      {with("vcpus", "true"), "/vcpus"},
      {with("memory_mib", "[256]"), "/memory_mib"},
      {with("image", "{}"), "/image"},
      {with("kernel_arguments", "[]"), "/kernel_arguments"},
      {with("restart", "1"), "/restart"},
      {with("labels", "[]"), "/labels"},
      {with("labels", R"({"a":1})"), "/labels/a"},
      // out of range
      {with("name", quoted("")), "/name"},
      {with("name", quoted("-a")), "/name"},
      {with("name", quoted("Web")), "/name"},
      {with("name", quoted("a_b")), "/name"},
      {with("name", quoted("a b")), "/name"},
      {with("name", quoted(std::string(64, 'a'))), "/name"},
      {with("name", quoted("00000000-0000-0000-0000-000000000001")), "/name"},
      {with("vcpus", "0"), "/vcpus"},
      {with("vcpus", "65"), "/vcpus"},
      {with("vcpus", "-1"), "/vcpus"},
      {with("vcpus", "4294967298"), "/vcpus"},
      {with("vcpus", "18446744073709551617"), "/vcpus"},
      {with("memory_mib", "15"), "/memory_mib"},
      {with("memory_mib", "1048577"), "/memory_mib"},
      {with("image", quoted("")), "/image"},
      {with("image", quoted("../../etc/shadow")), "/image"},
      {with("image", quoted("/boot/vmlinuz")), "/image"},
      {with("kernel_arguments", quoted("a\\nb")), "/kernel_arguments"},
      {with("kernel_arguments", quoted("a\\u0000")), "/kernel_arguments"},
      {with("kernel_arguments", quoted("a\\\"b")), "/kernel_arguments"},
      {with("kernel_arguments", quoted("a'b")), "/kernel_arguments"},
      {with("kernel_arguments", quoted("ä")), "/kernel_arguments"},
      {with("kernel_arguments", quoted(std::string(1'025, 'a'))), "/kernel_arguments"},
      {with("restart", quoted("sometimes")), "/restart"},
      {with("labels", many_labels(33)), "/labels"},
      {with("labels", R"({"":"x"})"), "/labels/"},
      {with("labels", R"({"a b":"x"})"), "/labels/a b"},
      {with("labels", R"({"a":"x\ny"})"), "/labels/a"},
      {with("labels", "{\"a\":\"" + std::string(257, 'x') + "\"}"), "/labels/a"},
  };
  for (const auto& [body, field] : table) {
    CAPTURE(body);
    auto answer = parse_create(body);
    REQUIRE(!answer);
    CHECK(answer.error().status == 400);
    CHECK(answer.error().field == field);
    CHECK(!answer.error().detail.empty());
    if (!field.empty())
      CHECK(answer.error().detail.size() > field.size() + 8); // says what to do
  }
}

TEST_CASE("a migration's destination may be left to the scheduler") {
  CHECK(parse_migrate("")->to.empty());
  CHECK(parse_migrate(" \n")->to.empty());
  CHECK(parse_migrate("{}")->to.empty());
  CHECK(parse_migrate(R"({"to":"node-3"})")->to == "node-3");
}

TEST_CASE("a migration's terms are gentle unless it is said otherwise") {
  CHECK(parse_migrate("{}")->terms == migration_terms{});
  CHECK(parse_migrate(R"({"intent":"speed"})")->terms == migration_terms{migration_intent::speed});
  const auto all = parse_migrate(R"({"intent":"downtime","max_pause_ms":50,"max_seconds":600})");
  CHECK(all->terms == migration_terms{migration_intent::downtime, 50ms, 600s});
  CHECK(parse_migrate(R"({"priority":"high"})")->terms.priority == migration_priority::high);
  CHECK(parse_migrate(R"({"priority":"urgent"})").error().field == "/priority");
  CHECK(parse_migrate(R"({"intent":"fast"})").error().field == "/intent");
  CHECK(parse_migrate(R"({"max_pause_ms":0})").error().field == "/max_pause_ms");
  CHECK(parse_migrate(R"({"max_pause_ms":60001})").error().field == "/max_pause_ms");
  CHECK(parse_migrate(R"({"tries":3})")->terms.tries == 3);
  CHECK(parse_migrate(R"({"tries":0})").error().field == "/tries");
  CHECK(parse_migrate(R"({"tries":11})").error().field == "/tries");
  CHECK(parse_migrate(R"({"max_seconds":0})").error().field == "/max_seconds");
  CHECK(parse_migrate(R"({"max_seconds":86401})").error().field == "/max_seconds");
}

TEST_CASE("a bad body of a verb is refused with the field's name") {
  CHECK(parse_migrate(R"({"to":3})").error().field == "/to");
  CHECK(parse_migrate(R"({"to":""})").error().field == "/to");
  CHECK(parse_migrate(R"({"too":"x"})").error().field == "/too");
  CHECK(parse_migrate("[").error().status == 400);
  CHECK(parse_nothing("").has_value());
  CHECK(parse_nothing("{}").has_value());
  CHECK(parse_nothing(R"({"force":true})").error().field == "/force");
  CHECK(parse_kill(R"({"node":"node-1"})").error().field == "/actor");
  CHECK(parse_kill(R"({"node":"node-1","actor":"a\nb"})").error().field == "/actor");
  CHECK(parse_kill(R"({"node":"node-1","actor":"host/vm:1"})")->actor == "host/vm:1");
}
