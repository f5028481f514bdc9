#include "counted_cluster.hpp"
#include "messages/uuid.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr auto runs_elsewhere_within = 30s;
const std::string off = R"({"confirm":"off"})";

} // namespace

TEST_CASE("a host that loses its power: its ha VM runs elsewhere in time, another one at a word") {
  counted_cluster x{lab_plan::three_nodes, {}};
  const auto [guarded, plain] = x.run_everywhere();
  const auto begin = clock_type::now();
  x.power_off(3);
  CHECK_MESSAGE(x.runs_away_from(guarded, 3, runs_elsewhere_within), x.lab.end_of_log(1));
  MESSAGE("its ha VM ran elsewhere after ",
          std::chrono::duration<double>(clock_type::now() - begin).count(), " s");
  CHECK(x.text_of(plain, "actual") == "lost");
  CHECK(x.text_of(plain, "host") == "node-3");
  CHECK(x.text_of(plain, "reason").find("novacron host fenced node-3") != std::string::npos);
  // A host that is there can't be called off; one that is not, only on purpose.
  const std::string word = "/fenced";
  CHECK(x.lab.insist("POST", "/api/v1/hosts/node-2" + word, off, "wrong").status == 409);
  CHECK(x.lab.insist("POST", "/api/v1/hosts/node-3" + word, "{}", "careless").status == 400);
  CHECK(x.places(plain).empty());
  CHECK(x.lab.insist("POST", "/api/v1/hosts/node-3" + word, off, "right").status == 200);
  CHECK_MESSAGE(x.runs_away_from(plain, 3, 20s), x.lab.end_of_log(1));
  x.lab.start(3);
  REQUIRE_MESSAGE(x.lab.await_hosts(3), x.lab.end_of_log(3));
  for (const auto& id : x.ids)
    CHECK(becomes_true(10s, [&] { return x.places(id).size() == 1; }));
  CHECK(x.seen_twice().empty());
}

TEST_CASE("a host that loses its power, and a fence command: its word starts the other VM, too") {
  const std::filesystem::path script = "/tmp/novacron-fence-" + to_string(random_uuid());
  const auto said = script.native() + ".said";
  // Fails at first, as a switch that doesn't answer does.
  std::ofstream{script} << "#!/bin/sh\necho \"$1\" >> " << said << "\n[ $(wc -l < " << said
                        << ") -ge 2 ]\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  {
    counted_cluster x{lab_plan::three_nodes,
                      {"controller.fence_command=[\"" + script.native() + "\"]",
                       "controller.fence_after_ms=1000"}};
    const auto [guarded, plain] = x.run_everywhere();
    x.power_off(3);
    CHECK_MESSAGE(x.runs_away_from(plain, 3, 60s), x.lab.end_of_log(1));
    CHECK_MESSAGE(x.runs_away_from(guarded, 3, runs_elsewhere_within), x.lab.end_of_log(1));
    CHECK(x.seen_twice().empty());
    std::ifstream in{said};
    CHECK(std::string{std::istreambuf_iterator<char>{in}, {}}.starts_with("node-3\nnode-3\n"));
  }
  std::filesystem::remove(script);
  std::filesystem::remove(said);
}

TEST_CASE("a host whose agent dies: its machine ends the ha guest, and then it runs elsewhere") {
  counted_cluster x{lab_plan::dev, {"lease.term_ms=3000", "lease.renew_ms=500"}};
  const auto [guarded, plain] = x.run_everywhere();
  const auto epoch = x.text_of(plain, "epoch");
  x.lab.kill(3);
  CHECK(x.places(guarded) == std::set{3}); // guests outlive their agent
  CHECK_MESSAGE(x.runs_away_from(guarded, 3, runs_elsewhere_within), x.lab.end_of_log(1));
  CHECK(x.seen_twice().empty());
  CHECK(x.text_of(plain, "actual") == "lost");
  CHECK(x.places(plain) == std::set{3}); // it runs on, unseen
  SUBCASE("the agent returns: what ran on is found, and what went elsewhere stays there") {
    x.lab.start(3);
    CHECK_MESSAGE(x.lab.await_vm(plain, "actual", "running"), x.lab.end_of_log(3));
    CHECK(x.text_of(plain, "epoch") == epoch);
    CHECK(x.places(plain) == std::set{3});
    CHECK(x.places(guarded).size() == 1);
    CHECK(!x.places(guarded).contains(3));
    CHECK(x.seen_twice().empty());
  }
  SUBCASE("somebody said that it was off, and was wrong: what is left there ends first") {
    CHECK(x.lab.insist("POST", "/api/v1/hosts/node-3/fenced", off, "wrong").status == 200);
    CHECK(becomes_true(20s, [&] { return x.places(plain).size() == 2; })); // the price of it
    x.lab.start(3);
    CHECK_MESSAGE(x.runs_away_from(plain, 3, 30s), x.lab.end_of_log(3));
    REQUIRE_MESSAGE(x.lab.await_hosts(3), x.lab.end_of_log(3));
  }
}
