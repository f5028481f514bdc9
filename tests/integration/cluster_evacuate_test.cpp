#include "counted_cluster.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

// A host loses its power, and its evacuation is followed while who leads dies. Three nodes, each
// controller, gateway and host, as processes; guests are simulated, and outlive their agents.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto evacuation_limit = 120s;
const std::string lost = "node-3";

struct evacuated_lab : counted_cluster {
  evacuated_lab() : counted_cluster{lab_plan::three_nodes, {}} {}

  /// For the hosts that stay.
  void each_other_host(const std::string& wish) {
    for (const std::string host : {"node-1", "node-2"})
      REQUIRE(lab.insist("POST", "/api/v1/hosts/" + host + '/' + wish, {}, wish + host).ok());
  }

  /// Stopped VMs on the host that will be lost.
  std::vector<std::string> make_stopped(int count) {
    std::vector<std::string> made;
    each_other_host("cordon");
    for (int n = 0; n < count; ++n) {
      const auto name = "stopped-" + std::to_string(n);
      auto reply = lab.insist("POST", "/api/v1/vms", vm_body(name, 16), name);
      REQUIRE(reply.status == 201);
      REQUIRE(field_text(reply.body, "host") == lost);
      made.push_back(field_text(reply.body, "id"));
    }
    return made; // and the others stay cordoned
  }

  boost::json::value task(const std::string& id) const {
    auto reply = lab.ask("GET", "/api/v1/tasks/" + id);
    return reply && reply->ok() ? reply->body : boost::json::value{};
  }
};

} // namespace

TEST_CASE("a host that is lost is evacuated, though nothing had room and the leader died") {
  evacuated_lab x;
  const auto [guarded, plain] = x.run_everywhere();
  const auto stopped = x.make_stopped(3);
  const auto evacuate = "/api/v1/hosts/" + lost + "/evacuate";
  auto early = x.lab.insist("POST", evacuate, {}, "early");
  CHECK(early.status == 409);
  CHECK(field_text(early.body, "detail").find("novacron host drain " + lost) != std::string::npos);

  x.power_off(3);
  REQUIRE(x.lab.await_vm(guarded, "actual", "lost"));
  early = x.lab.insist("POST", evacuate, {}, "still-early");
  CHECK(early.status == 409);
  CHECK(field_text(early.body, "detail").find("novacron host fenced " + lost) != std::string::npos);
  REQUIRE(x.lab.insist("POST", "/api/v1/hosts/" + lost + "/fenced", R"({"confirm":"off"})", "off")
              .ok());
  auto begun = x.lab.insist("POST", evacuate, {}, "evacuate");
  REQUIRE_MESSAGE(begun.status == 202, boost::json::serialize(begun.body));
  const auto id = field_text(begun.body, "id");
  CHECK(field_text(begun.body, "kind") == "evacuation");
  const auto all = field_number(begun.body, "waiting");
  CHECK(all >= 5);

  // Both others are cordoned: all wait, and who is to run says why.
  CHECK_MESSAGE(becomes_true(30s,
                             [&] {
                               const auto text = boost::json::serialize(x.task(id));
                               return text.find("is cordoned") != std::string::npos;
                             }),
                boost::json::serialize(x.task(id)));
  CHECK(field_number(x.task(id), "waiting") == all);
  const auto listed = x.lab.list("tasks");
  CHECK(
      std::ranges::any_of(listed, [&](const auto& each) { return field_text(each, "id") == id; }));

  x.each_other_host("uncordon");
  int leads = 0;
  REQUIRE(becomes_true(30s, [&] { return (leads = x.lab.leader()) != 0; }));
  x.lab.kill(leads);
  x.lab.start(leads);
  CHECK_MESSAGE(
      becomes_true(evacuation_limit, [&] { return field_text(x.task(id), "state") == "finished"; }),
      boost::json::serialize(x.task(id)));
  CHECK(field_number(x.task(id), "finished") == all);
  for (const auto& vm : {guarded, plain})
    CHECK_MESSAGE(x.runs_away_from(vm, 3, 20s), x.lab.end_of_log(1));
  for (const auto& vm : stopped) {
    CHECK(x.text_of(vm, "host") != lost);
    CHECK(x.text_of(vm, "actual") == "defined");
    CHECK(x.places(vm).empty());
  }

  x.lab.start(3);
  REQUIRE_MESSAGE(x.lab.await_hosts(3), x.lab.end_of_log(3));
  for (const auto& vm : x.ids)
    CHECK(becomes_true(10s, [&] { return x.places(vm).size() == 1; }));
  CHECK(x.seen_twice().empty());
}
