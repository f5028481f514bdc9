#include "cluster_lab.hpp"

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <mutex>
#include <set>
#include <thread>

// Members of a running group change: three founders and those that join, as
// processes on the loopback; guests are simulated.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr auto limit = 60s;

struct members_lab : cluster_lab {
  members_lab() : cluster_lab{true, {}, lab_plan::members} { start_all(1); }

  [[nodiscard]] boost::json::value read(int asked, const std::string& path) const {
    auto reply = ask_at(asked, "GET", path);
    return reply && reply->ok() ? reply->body : boost::json::value{};
  }
  [[nodiscard]] boost::json::value node(int asked, int which) const {
    return read(asked, "/api/v1/nodes/node-" + std::to_string(which));
  }
  [[nodiscard]] bool await_node(int asked, int which, const std::string& field_name,
                                const std::string& value) const {
    return becomes_true(limit, [&] { return field_text(node(asked, which), field_name) == value; });
  }
  int await_leader(int asked) const {
    int found = 0;
    REQUIRE_MESSAGE(becomes_true(limit,
                                 [&] {
                                   found = leader(asked);
                                   return found != 0;
                                 }),
                    end_of_log(asked));
    return found;
  }
  /// All three founders are known by name and disk, and vote.
  void await_founders(int asked = 1) const {
    for (int each = 1; each <= 3; ++each)
      REQUIRE_MESSAGE(await_node(asked, each, "member", "voter"), end_of_log(asked));
  }

  result<client_reply> wish(int asked, int which, const std::string& verb,
                            const std::string& body = {}) const {
    const auto path = "/api/v1/nodes/node-" + std::to_string(which) + '/' + verb;
    auto reply = ask_at(asked, "POST", path, body);
    becomes_true(limit, [&] { // a leader that changes is no answer
      if (reply && reply->status != 503)
        return true;
      reply = ask_at(asked, "POST", path, body);
      return false;
    });
    return reply;
  }

  /// Creates a VM by any of `asked`, with one key, until it is acknowledged.
  std::string create(const std::string& name, const std::vector<int>& asked) const {
    std::string id;
    size_t turn = 0;
    REQUIRE_MESSAGE(becomes_true(limit,
                                 [&] {
                                   auto reply = ask_at(asked[turn++ % asked.size()], "POST",
                                                       "/api/v1/vms", vm_body(name, 16), name);
                                   if (reply && reply->status == 201)
                                     id = field_text(reply->body, "id");
                                   return !id.empty();
                                 }),
                    "not acknowledged: " << name);
    return id;
  }
  [[nodiscard]] std::set<std::string> vms_at(int asked) const {
    std::set<std::string> ids;
    std::string cursor;
    do {
      boost::json::value page;
      const auto path = "/api/v1/vms?limit=100&consistency=linearizable"
                        + (cursor.empty() ? "" : "&cursor=" + cursor);
      REQUIRE(becomes_true(limit, [&] {
        page = read(asked, path);
        return page.is_object();
      }));
      for (const auto& item : field(page, "items").as_array())
        ids.insert(field_text(item, "id"));
      cursor = field_text(page, "next_cursor");
    } while (!cursor.empty());
    return ids;
  }
  [[nodiscard]] bool log_says(int number, const std::string& text) const {
    return becomes_true(limit, [&] { return end_of_log(number).find(text) != std::string::npos; });
  }
};

/// Creates VMs by `asked`, one after the other, until it is told to stop.
class writer {
public:
  writer(const members_lab& lab, std::vector<int> asked)
      : thread_{[this, &lab, asked = std::move(asked)] {
          for (int i = 0; !over_; ++i) {
            const auto name = "w-" + std::to_string(i);
            for (size_t turn = 0; !over_; ++turn) {
              auto reply = lab.ask_at(asked[turn % asked.size()], "POST", "/api/v1/vms",
                                      vm_body(name, 16), name);
              if (!reply || reply->status != 201)
                continue;
              std::lock_guard lock{mutex_};
              acknowledged_.insert(field_text(reply->body, "id"));
              break;
            }
          }
        }} {
    // nop
  }
  ~writer() { stop(); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  std::set<std::string> stop() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
    return acknowledged_;
  }
  [[nodiscard]] size_t count() const {
    std::lock_guard lock{mutex_};
    return acknowledged_.size();
  }

private:
  mutable std::mutex mutex_;
  std::set<std::string> acknowledged_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

} // namespace

TEST_CASE("a fourth controller joins with a token, catches up and votes; the leader then leaves") {
  members_lab lab;
  lab.await_founders();
  std::vector<int> founders{1, 2, 3};
  for (int i = 0; i < 20; ++i)
    lab.create("before-" + std::to_string(i), founders);
  lab.let_join(4, "controller+gateway", 4);
  lab.start(4);
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "standby"), lab.end_of_log(4));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "lag", "0"), lab.end_of_log(4));
  CHECK(lab.vms_at(4).size() == 20);
  auto promoted = lab.wish(1, 4, "promote");
  REQUIRE(promoted.has_value());
  CHECK_MESSAGE(promoted->status == 202, boost::json::serialize(promoted->body));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "voter"), lab.end_of_log(1));

  // It loses its vote again, is a standby as before, and gets the vote back.
  auto demoted = lab.wish(1, 4, "demote");
  REQUIRE(demoted.has_value());
  CHECK_MESSAGE(demoted->status == 202, boost::json::serialize(demoted->body));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "standby"), lab.end_of_log(1));
  CHECK(field_text(lab.node(1, 4), "wanted") == "standby");
  CHECK(field_text(lab.read(1, "/api/v1/cluster"), "voters") == "3");
  lab.create("while-a-standby", {1, 2, 3});
  REQUIRE_MESSAGE(lab.await_node(1, 4, "lag", "0"), lab.end_of_log(4));
  CHECK(lab.vms_at(4).size() == 21);
  promoted = lab.wish(1, 4, "promote");
  REQUIRE(promoted.has_value());
  CHECK_MESSAGE(promoted->status == 202, boost::json::serialize(promoted->body));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "voter"), lab.end_of_log(1));

  // Node 1 is the host; a leader among the others is taken out, itself or after it has handed over.
  if (lab.await_leader(4) == 1) {
    lab.kill(1);
    REQUIRE(becomes_true(limit, [&] { return lab.leader(4) > 1; }));
    lab.start(1);
    REQUIRE_MESSAGE(lab.await_node(4, 1, "lag", "0"), lab.end_of_log(1));
  }
  const int leads = lab.await_leader(4);
  const int leaves = leads == 1 ? 2 : leads;
  if (leads == 1)
    MESSAGE("node 1 leads: a follower leaves");
  const int asked = leaves == 4 ? 1 : 4;
  auto removed = lab.wish(asked, leaves, "remove");
  REQUIRE(removed.has_value());
  CHECK_MESSAGE(removed->status == 202, boost::json::serialize(removed->body));
  const auto id = field_text(removed->body, "id");
  CHECK(becomes_true(limit, [&] {
    return field_text(lab.read(asked, "/api/v1/nodes/" + id), "wanted") == "removed";
  }));
  // Its certificate is refused, also by a node that has just restarted.
  const int other = asked == 4 ? (leaves == 2 ? 3 : 2) : 2;
  lab.kill(other);
  lab.start(other);
  lab.kill(leaves);
  lab.start(leaves);
  CHECK(lab.log_says(leaves, "was removed from the cluster"));
  CHECK(lab.log_says(other, "was removed from the cluster"));
  lab.create("after", {asked});
  CHECK(lab.vms_at(other).size() == 22);
  CHECK(lab.leader(leaves) == 0);
}

TEST_CASE("a voter with an emptied disk is refused under its old id, and replaced under writes") {
  members_lab lab;
  lab.await_founders();
  const int leads = lab.await_leader(1);
  const int victim = leads == 3 ? 2 : 3;
  const int other = victim == 3 ? 2 : 3;
  writer writing{lab, {1, other}};
  lab.kill(victim);
  fs::remove_all(lab.folder() / ("node-" + std::to_string(victim)) / "storage");
  lab.start(victim);
  CHECK_MESSAGE(lab.log_says(victim, "novacron node replace node-" + std::to_string(victim)),
                lab.end_of_log(victim));
  CHECK(field_text(lab.node(1, victim), "up") == "false");
  lab.kill(victim);

  lab.let_join(4, "controller+gateway", 4);
  lab.start(4);
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "standby"), lab.end_of_log(4));
  REQUIRE(lab.await_node(1, 4, "up", "true"));
  auto replaced = lab.wish(1, victim, "replace", R"({"with":"node-4"})");
  REQUIRE(replaced.has_value());
  REQUIRE_MESSAGE(replaced->status == 202, boost::json::serialize(replaced->body));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "settled", "true"), lab.end_of_log(1));
  const auto before = writing.count();
  CHECK(becomes_true(limit, [&] { return writing.count() > before + 5; }));
  const auto acknowledged = writing.stop();
  MESSAGE(acknowledged.size() << " writes were acknowledged");
  for (int asked : {1, other, 4}) {
    const auto there = lab.vms_at(asked);
    CHECK(std::ranges::all_of(acknowledged, [&](const auto& x) { return there.contains(x); }));
  }
  const auto cluster = lab.read(4, "/api/v1/cluster");
  CHECK(field_text(cluster, "voters") == "3");
}

TEST_CASE("a change that would cost the majority is refused, and a replacement outlives leaders") {
  members_lab lab;
  lab.await_founders();
  lab.let_join(4, "controller+gateway", 4);
  lab.start(4);
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "standby"), lab.end_of_log(4));
  REQUIRE(lab.await_node(1, 4, "up", "true"));
  lab.kill(3);
  REQUIRE(lab.await_node(1, 3, "up", "false"));
  auto refused = lab.wish(1, 2, "remove");
  REQUIRE(refused.has_value());
  CHECK(refused->status == 409);
  const auto why = field_text(refused->body, "detail");
  CHECK_MESSAGE(why.find("node-1 (up) and node-3 (down): 1 would answer, and 2 are needed")
                    != std::string::npos,
                why);
  // Node 3 may have led; who leads now must have heard of node 4.
  REQUIRE_MESSAGE(lab.await_node(1, 4, "up", "true"), lab.end_of_log(4));
  // The leader dies as soon as it has the wish.
  auto replaced = lab.wish(1, 3, "replace", R"({"with":"node-4"})");
  REQUIRE(replaced.has_value());
  REQUIRE_MESSAGE(replaced->status == 202, boost::json::serialize(replaced->body));
  const int leads = lab.await_leader(1);
  lab.kill(leads);
  lab.start(leads);
  REQUIRE_MESSAGE(lab.await_node(1, 4, "settled", "true"), lab.end_of_log(1));
  lab.create("after", {1, 2, 4});
  CHECK(lab.vms_at(4).size() == 1);
}

TEST_CASE("one of three recovers the cluster, and places nothing until its hosts have reported") {
  members_lab lab;
  lab.await_founders();
  for (int i = 0; i < 10; ++i)
    lab.create("kept-" + std::to_string(i), {1, 2, 3});
  const auto before = lab.vms_at(1);
  for (int node = 1; node <= 3; ++node)
    lab.kill(node);
  auto recover = [&](const std::vector<std::string>& more) {
    child_command command{
        NOVACRON_PROGRAM,
        {"cluster", "recover", "--config", (lab.folder() / "node-1.toml").string()},
        lab.folder() / "recover.log"};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    auto child = child_process::start(command);
    REQUIRE(child.has_value());
    REQUIRE(child->wait(60s));
    return child->ending();
  };
  CHECK(recover({}) == "status 2"); // it only says what would be lost
  CHECK(recover({"--yes-i-lost-the-majority"}) == "status 0");
  lab.start(1);
  REQUIRE_MESSAGE(becomes_true(limit, [&] { return lab.leader(1) == 1; }), lab.end_of_log(1));
  CHECK(field_text(lab.read(1, "/api/v1/cluster"), "voters") == "1");
  CHECK(field_text(lab.read(1, "/api/v1/cluster"), "timeline") == "1");
  CHECK(lab.node(1, 2).is_null()); // its name is free
  CHECK(lab.vms_at(1) == before);
  lab.create("after", {1}); // its own host has reported by now, or soon
  // The lost are not let in, and a new one is.
  lab.start(2);
  CHECK_MESSAGE(lab.log_says(1, "was removed from the cluster"), lab.end_of_log(1));
  lab.kill(2);
  lab.let_join(4, "controller+gateway", 4);
  lab.start(4);
  REQUIRE_MESSAGE(lab.await_node(1, 4, "member", "standby"), lab.end_of_log(4));
  REQUIRE_MESSAGE(lab.await_node(1, 4, "lag", "0"), lab.end_of_log(4));
  CHECK(lab.vms_at(4).size() == before.size() + 1);
}
