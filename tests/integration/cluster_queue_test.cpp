#include "counted_cluster.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <map>

// More migrations are asked for than the hosts take at a time, one is cancelled before its turn,
// and who leads dies in the middle. Three nodes, each controller, gateway and host, as processes;
// guests are simulated, and outlive their agents.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto all_limit = 120s;
constexpr auto tries_limit = 60s;
constexpr int guests = 7;

struct queueing_lab : counted_cluster {
  explicit queueing_lab(const std::string& bound = "host.migrations_at_once=1")
      : counted_cluster{lab_plan::three_nodes, {"host.vcpus=64", "host.memory_mib=10000", bound}} {}

  void each_other_host(const std::string& wish) {
    for (const std::string host : {"node-2", "node-3"})
      REQUIRE(lab.insist("POST", "/api/v1/hosts/" + host + '/' + wish, {}, wish + host).ok());
  }

  /// Guests that run on node-1.
  std::vector<std::string> run_guests() {
    std::vector<std::string> made;
    each_other_host("cordon");
    for (int n = 0; n < guests; ++n) {
      const auto name = "guest-" + std::to_string(n);
      auto reply = lab.insist("POST", "/api/v1/vms", vm_body(name, 64), name);
      REQUIRE(reply.status == 201);
      made.push_back(field_text(reply.body, "id"));
      REQUIRE(lab.end_of(
                  lab.insist("POST", "/api/v1/vms/" + made.back() + "/start", {}, name + "-start"))
              == "succeeded");
    }
    each_other_host("uncordon");
    return made;
  }

  boost::json::value read(const std::string& path) const {
    return lab.insist("GET", path, {}, {}).body;
  }

  [[nodiscard]] size_t in_phase(const std::string& phase) const {
    return static_cast<size_t>(std::ranges::count_if(
        lab.list("migrations"), [&](const auto& x) { return field_text(x, "phase") == phase; }));
  }

  [[nodiscard]] std::string shown() const {
    std::string all;
    for (const auto& each : lab.list("migrations"))
      all += boost::json::serialize(each) + '\n';
    return all;
  }
};

/// Of two that share a host, the later one began when the earlier one was decided. The times are
/// written so that their texts are in their order.
void check_one_at_a_time(std::vector<boost::json::value> migrations) {
  std::erase_if(migrations, [](const auto& x) { return field_text(x, "begun").empty(); });
  std::ranges::sort(migrations, {}, [](const auto& x) { return field_text(x, "begun"); });
  std::map<std::string, std::string> busy_until;
  for (const auto& each : migrations) {
    const auto begun = field_text(each, "begun");
    for (const auto* end : {"from", "to"}) {
      auto& until = busy_until[field_text(each, end)];
      CHECK_MESSAGE(begun >= until, boost::json::serialize(each));
      until = field_text(each, "decided");
    }
  }
}

} // namespace

TEST_CASE("migrations wait for their turn, are cancelled before it, and all end though the leader "
          "dies") {
  queueing_lab x;
  const auto ids = x.run_guests();
  std::vector<client_reply> begun;
  for (int n = 0; n < guests; ++n)
    begun.push_back(x.lab.insist("POST", "/api/v1/vms/" + ids[n] + "/migrate",
                                 n % 2 == 0 ? R"({"to":"node-2"})" : R"({"to":"node-3"})",
                                 "move-" + std::to_string(n)));
  for (const auto& each : begun)
    REQUIRE_MESSAGE(each.status == 202, boost::json::serialize(each.body));

  // The last one waits behind the others: all leave node-1.
  const auto last = "/api/v1/migrations/" + field_text(begun.back().body, "migration");
  auto waits = x.read(last);
  REQUIRE_MESSAGE(field_text(waits, "phase") == "queued", boost::json::serialize(waits));
  const auto position = field_number(field(waits, "queue"), "position");
  CHECK(position >= 1);
  CHECK(position < guests);
  CHECK(field_text(x.read("/api/v1/vms/" + ids.back()), "actual") == "running");
  const auto cancelled = x.lab.insist("POST", last + "/cancel", {}, "cancel");
  CHECK(cancelled.status == 200);
  CHECK(field_text(cancelled.body, "phase") == "rolled_back");
  CHECK(field_text(cancelled.body, "reason").starts_with("cancelled by "));
  CHECK(x.lab.end_of(begun.back()) == "failed");

  // Once one has ended it can be said when the next ones begin.
  REQUIRE(becomes_true(all_limit, [&] { return x.in_phase("done") >= 1; }));
  for (const auto& each : x.lab.list("migrations"))
    if (field_text(each, "phase") == "queued")
      CHECK(!field_text(field(each, "queue"), "expected_start").empty());
  int leads = 0;
  REQUIRE(becomes_true(30s, [&] { return (leads = x.lab.leader()) != 0; }));
  MESSAGE("killing the leader, node-" << leads << ", with " << x.in_phase("queued") << " waiting");
  x.lab.kill(leads);
  x.lab.start(leads);

  CHECK_MESSAGE(
      becomes_true(all_limit,
                   [&] { return x.in_phase("done") + x.in_phase("rolled_back") == guests; }),
      x.shown());
  const auto migrations = x.lab.list("migrations");
  check_one_at_a_time(migrations);
  CHECK(field_text(x.read("/api/v1/vms/" + ids.back()), "host") == "node-1");
  for (const auto& id : ids)
    CHECK_MESSAGE(becomes_true(10s, [&] { return x.places(id).size() == 1; }), id);
  CHECK(x.seen_twice().empty());
}

TEST_CASE(
    "a migration that isn't over in its time is tried again, later, and fails with its last try") {
  queueing_lab x{"host.migration_mbit=1"}; // minutes for a guest
  const auto id = x.run_guests().front();
  const auto begun = x.lab.insist("POST", "/api/v1/vms/" + id + "/migrate",
                                  R"({"to":"node-2","max_seconds":1,"tries":3})", "move");
  REQUIRE_MESSAGE(begun.status == 202, boost::json::serialize(begun.body));
  const auto operation = "/api/v1/operations/" + field_text(begun.body, "id");
  REQUIRE_MESSAGE(becomes_true(tries_limit,
                               [&] { return field_text(x.read(operation), "state") != "running"; }),
                  x.shown());
  const auto ended = x.read(operation);
  CHECK(field_text(ended, "state") == "failed");
  CHECK(field_text(ended, "error").starts_with("rolled back: "));
  auto tries = x.lab.list("migrations");
  std::ranges::sort(tries, {}, [](const auto& each) { return field_number(each, "attempt"); });
  REQUIRE_MESSAGE(tries.size() == 3, x.shown());
  for (size_t n = 0; n < tries.size(); ++n) {
    CHECK(field_number(tries[n], "attempt") == static_cast<int64_t>(n + 1));
    CHECK(field_text(tries[n], "operation") == field_text(begun.body, "id"));
    if (n > 0)
      CHECK(field_text(tries[n], "begun") >= field_text(tries[n], "not_before"));
  }
  CHECK(field_text(ended, "migration") == field_text(tries.back(), "id"));
  CHECK(x.places(id).size() == 1);
  CHECK(field_text(x.read("/api/v1/vms/" + id), "host") == "node-1");
}
