#include "counted_cluster.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <map>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::array controllers{4, 5, 6};
constexpr auto ended_within = 8s; // a term of 3 s, and a busy machine
constexpr auto outage = 10s;      // longer than a leader would wait for such a lease
constexpr auto well_within = 15s; // an election, the links, the leases, a restart's back-off
constexpr auto problem = "urn:novacron:problem:not_leader";

/// Says that nothing was done, and when to come back.
void check_refused(const result<client_reply>& reply) {
  REQUIRE(reply.has_value());
  const auto text = boost::json::serialize(reply->body);
  CHECK_MESSAGE(reply->status == 503, text);
  CHECK_MESSAGE(field_text(reply->body, "type") == problem, text);
  CHECK(reply->retry_after == 1s);
}

} // namespace

TEST_CASE("without any controller plain guests run on, ha guests end, and the API says 503") {
  counted_cluster x{lab_plan::apart, {"lease.term_ms=3000", "lease.renew_ms=500"}, 2};
  x.run_everywhere();
  std::map<std::string, std::pair<std::set<int>, std::string>> before; // places and epochs
  for (const auto& id : x.ids)
    before[id] = {x.places(id), x.text_of(id, "epoch")};
  auto plain_as_before = [&] {
    return std::ranges::all_of(x.plain,
                               [&](const auto& id) { return x.places(id) == before[id].first; });
  };
  REQUIRE(plain_as_before());
  const auto revision = field_number(x.lab.ask("GET", "/api/v1/vms")->body, "revision");

  for (int node : controllers)
    x.lab.kill(node);
  const auto killed = clock_type::now();
  CHECK(becomes_true(ended_within, [&] {
    return std::ranges::all_of(x.ha, [&](const auto& id) { return x.places(id).empty(); });
  }));
  const auto left
      = std::chrono::duration_cast<std::chrono::milliseconds>(killed + outage - clock_type::now());
  CHECK_FALSE(becomes_true(left, [&] { return !plain_as_before(); }));

  check_refused(x.lab.ask("POST", "/api/v1/vms", vm_body("lonely", 16), "lonely"));
  check_refused(x.lab.ask("POST", "/api/v1/vms/" + x.plain.front() + "/stop", {}, "stop"));
  check_refused(x.lab.ask("GET", "/api/v1/vms?consistency=linearizable"));
  check_refused(x.lab.ask("GET", "/ready"));
  auto view = x.lab.ask("GET", "/api/v1/vms"); // from the past, as it says
  REQUIRE(view.has_value());
  CHECK(view->status == 200);
  CHECK(field_number(view->body, "revision") >= revision);
  CHECK(field(view->body, "items").as_array().size() == x.ids.size());
  CHECK(x.text_of(x.plain.front(), "actual") == "running");
  for (const auto& id : x.ha)
    CHECK(x.places(id).empty()); // nobody lets them run without a lease

  for (int node : controllers)
    x.lab.start(node);
  const auto back = clock_type::now();
  auto since = [&] { return std::chrono::duration<double>(clock_type::now() - back).count(); };
  CHECK(x.lab.insist("POST", "/api/v1/vms", vm_body("after", 16), "after").status == 201);
  MESSAGE("a write was acknowledged after ", since(), " s");
  for (const auto& id : x.ha)
    CHECK_MESSAGE(becomes_true(well_within,
                               [&] {
                                 return x.places(id).size() == 1
                                        && x.text_of(id, "actual") == "running";
                               }),
                  x.lab.end_of_log(1));
  MESSAGE("all ha guests ran again after ", since(), " s");
  CHECK(since() < std::chrono::duration<double>(well_within).count());
  CHECK(x.lab.await_hosts(2));
  CHECK(plain_as_before());
  for (const auto& id : x.plain) {
    CHECK(x.text_of(id, "actual") == "running");
    CHECK(x.text_of(id, "epoch") == before[id].second);
  }
  for (const auto& vm : x.lab.list("vms"))
    CHECK(field_text(vm, "name") != "lonely");
  CHECK(x.seen_twice().empty());
}
