#include "quorum_lab.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;

constexpr int leader_kills = 5;
constexpr auto start_limit = 60s;
constexpr auto writes_again_limit = 2s; // of the median

} // namespace

TEST_CASE("three nodes elect a leader, and any of them takes writes and shows them") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  CHECK_MESSAGE(lab.await_all(1), boost::json::serialize(lab.cluster(1)));
  for (int node = 1; node <= nodes; ++node) {
    CHECK(lab.leader(node) == leads);
    CHECK(field_text(lab.cluster(node), "survives") == "any minority of voters");
    lab.create("by-" + std::to_string(node), {node});
  }
  for (int node = 1; node <= nodes; ++node)
    CHECK(lab.listed_at(node).size() == nodes);
}

TEST_CASE("a leader is killed under writes again and again: none is lost, and others go on soon") {
  quorum_lab lab;
  std::vector<clock::duration> pauses;
  busy_writers writing{lab};
  for (int kill = 0; kill < leader_kills; ++kill) {
    const int leads = lab.await_leader(1 + kill % nodes);
    REQUIRE(lab.await_all(leads));
    const auto killed = clock::now();
    lab.kill(leads);
    std::optional<clock::time_point> again;
    REQUIRE(becomes_true(start_limit, [&] {
      again = writing.first_sent_after(killed);
      return again.has_value();
    }));
    pauses.push_back(*again - killed);
    lab.start(leads);
    REQUIRE_MESSAGE(lab.await_all(all_but(leads).front()), lab.end_of_log(leads));
  }
  writing.stop();
  std::ranges::sort(pauses);
  for (auto each : pauses)
    MESSAGE(
        "writes again after " << std::chrono::duration_cast<std::chrono::milliseconds>(each).count()
                              << " ms");
  CHECK(pauses[pauses.size() / 2] < writes_again_limit);

  const auto acknowledged = writing.acknowledged();
  MESSAGE(acknowledged.size() << " writes were acknowledged");
  CHECK(acknowledged.size() > leader_kills);
  for (int node = 1; node <= nodes; ++node) {
    const auto listed = lab.listed_at(node);
    for (const auto& [name, id] : acknowledged) {
      CHECK_MESSAGE(listed.count(name) == 1, name);
      if (listed.count(name) == 1)
        CHECK(listed.find(name)->second == id);
    }
  }
}

TEST_CASE("a follower that was killed comes back with its disk, and catches up") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  const int follower = all_but(leads).front();
  lab.kill(follower);
  for (int i = 0; i < 20; ++i)
    lab.create("without-" + std::to_string(i), all_but(follower));
  lab.start(follower);
  CHECK_MESSAGE(lab.await_all(leads), lab.end_of_log(follower));
  CHECK(lab.listed_at(follower).size() == 20);
}

TEST_CASE("what is left of a lost majority takes no writes and says so, until it is back") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  const int left = all_but(leads).front();
  lab.create("before", {left});
  for (int node : all_but(left))
    lab.kill(node);
  REQUIRE(becomes_true(10s, [&] { return lab.leader(left) == 0; }));
  auto refused = lab.ask_at(left, "POST", "/api/v1/vms", vm_body("lonely", 16), "lonely");
  REQUIRE(refused.has_value());
  const auto text = boost::json::serialize(refused->body);
  CHECK_MESSAGE(refused->status == 503, text);
  CHECK_MESSAGE(field_text(refused->body, "type") == "urn:novacron:problem:not_leader", text);
  auto ready = lab.ask_at(left, "GET", "/ready");
  REQUIRE(ready.has_value());
  CHECK(ready->status == 503);
  auto read = lab.ask_at(left, "GET", "/api/v1/vms"); // from the past, as it says
  REQUIRE(read.has_value());
  CHECK(read->status == 200);
  auto fresh = lab.ask_at(left, "GET", "/api/v1/vms?consistency=linearizable");
  REQUIRE(fresh.has_value());
  CHECK(fresh->status == 503);

  for (int node : all_but(left))
    lab.start(node);
  lab.create("after", {left});
  CHECK(lab.await_all(left));
  for (int node = 1; node <= nodes; ++node) {
    const auto listed = lab.listed_at(node);
    CHECK(listed.count("before") == 1);
    CHECK(listed.count("after") == 1);
  }
}

TEST_CASE("a leader that lost its majority leaves the outcome unknown, and the key brings it") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  lab.create("before", {leads});
  for (int node : all_but(leads)) // silent, and not yet found out
    lab.process(node).signal(SIGSTOP);
  auto open = lab.ask_at(leads, "POST", "/api/v1/vms", vm_body("open", 16), "open");
  REQUIRE(open.has_value());
  const auto text = boost::json::serialize(open->body);
  CHECK_MESSAGE(open->status == 503, text);
  CHECK_MESSAGE(field_text(open->body, "type") == "urn:novacron:problem:unknown_outcome", text);
  CHECK_MESSAGE(field_text(open->body, "detail").find("same Idempotency-Key") != std::string::npos,
                text);
  for (int node : all_but(leads))
    lab.process(node).signal(SIGCONT);
  lab.create("open", {1, 2, 3});
  for (int node = 1; node <= nodes; ++node)
    CHECK(lab.listed_at(node).count("open") == 1);
}

TEST_CASE("all three are killed and started again, and have what was acknowledged") {
  quorum_lab lab;
  for (int i = 0; i < 10; ++i)
    lab.create("kept-" + std::to_string(i), {1 + i % nodes});
  for (int node = 1; node <= nodes; ++node)
    lab.kill(node);
  for (int node = 1; node <= nodes; ++node)
    lab.start(node);
  lab.await_leader(1);
  CHECK(lab.await_all(1));
  for (int node = 1; node <= nodes; ++node)
    CHECK(lab.listed_at(node).size() == 10);
}

TEST_CASE("guests are started and reported under a new leader as under the old one") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  const auto others = all_but(leads);
  lab.kill(leads);
  const int asked = others.front();
  REQUIRE(becomes_true(start_limit, [&] {
    const int now = lab.leader(asked);
    return now != 0 && now != leads;
  }));
  // One on each node that is left: by the scheduler, which may choose the dead one until its
  // lease is over.
  int running = 0;
  for (int i = 0; i < 4; ++i) {
    const auto id = lab.create("guest-" + std::to_string(i), others);
    auto begun = lab.ask_at(asked, "POST", "/api/v1/vms/" + id + "/start?wait=5s");
    REQUIRE(begun.has_value());
    auto vm = lab.ask_at(asked, "GET", "/api/v1/vms/" + id);
    running += vm && field_text(vm->body, "actual") == "running" ? 1 : 0;
  }
  CHECK_MESSAGE(running >= 2, lab.end_of_log(asked));
}

TEST_CASE("a voter whose disk was emptied doesn't vote again under its old id") {
  quorum_lab lab;
  const int leads = lab.await_leader(1);
  const auto others = all_but(leads);
  const int emptied = others.front();
  lab.create("kept", {leads});
  lab.kill(emptied);
  std::filesystem::remove_all(lab.folder() / ("node-" + std::to_string(emptied)) / "storage");
  lab.start(emptied);
  REQUIRE(
      becomes_true(start_limit, [&] { return lab.ask_at(emptied, "GET", "/health").has_value(); }));
  CHECK(becomes_true(10s, [&] {
    return lab.end_of_log(emptied).find("waits until a leader adds it") != std::string::npos;
  }));
  // With the third one gone as well the leader is alone, whatever the emptied one would say.
  lab.kill(others.back());
  CHECK(becomes_true(10s, [&] { return lab.leader(leads) == 0; }));
  auto refused = lab.ask_at(leads, "POST", "/api/v1/vms", vm_body("more", 16), "more");
  REQUIRE(refused.has_value());
  CHECK(refused->status == 503);
  CHECK(lab.leader(emptied) == 0);
}
