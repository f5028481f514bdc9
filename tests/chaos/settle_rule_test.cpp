#include "settle_rule.hpp"

#include <boost/json/object.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::chaos;
namespace json = boost::json;

namespace {

json::value vm(const char* requested, const char* actual) {
  return json::object{{"id", "1"},        {"name", "a"},      {"requested", requested},
                      {"actual", actual}, {"host", "node-1"}, {"restart_due", nullptr}};
}

unsettled look(json::value one) {
  return look_for_unsettled({{std::move(one)}, {}});
}

} // namespace

TEST_CASE("a vm is settled when it is what it is to be") {
  CHECK(look(vm("running", "running")).empty());
  CHECK(look(vm("stopped", "defined")).empty());
  CHECK(look(vm("paused", "paused")).empty());
  CHECK(look(vm("deleted", "gone")).empty());
  for (const auto* actual : {"starting", "paused", "migrating", "lost", "defined"})
    CHECK_MESSAGE(look(vm("running", actual)).vms.size() == 1, actual);
  CHECK(look(vm("stopped", "running")).vms.size() == 1);
}

TEST_CASE("an operation that still runs is not settled") {
  const json::value runs = json::object{{"id", "9"}, {"vm", "1"}, {"state", "running"}};
  const json::value ended = json::object{{"id", "8"}, {"vm", "1"}, {"state", "failed"}};
  CHECK(look_for_unsettled({{}, {ended}}).empty());
  CHECK(look_for_unsettled({{}, {ended, runs}}).operations.size() == 1);
}

TEST_CASE("a guest that ended waits for its restart, or for a user") {
  CHECK(look(vm("running", "failed")).ended == std::vector<std::string>{"1"});
  auto due = vm("running", "failed");
  due.as_object()["restart_due"] = "2026-01-01T00:00:00.000Z";
  CHECK(look(due).ended.empty());
  CHECK(look(due).vms.size() == 1);
}
