#include "cluster_lab.hpp"

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <mutex>
#include <thread>

// Three nodes, each controller, gateway and host, as processes; guests are simulated.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;

constexpr int nodes = 3;
constexpr int writers = 3;
constexpr int leader_kills = 5;
constexpr auto write_every = 30ms;
constexpr auto start_limit = 60s;
constexpr auto writes_again_limit = 2s; // of the median
constexpr auto catch_up_limit = 30s;

struct quorum_lab : cluster_lab {
  quorum_lab()
      : cluster_lab{true, {"host.vcpus=1024", "host.memory_mib=1000000"}, lab_plan::three_nodes} {
    for (int node = 1; node <= nodes; ++node)
      start(node);
    REQUIRE_MESSAGE(await_hosts(nodes), end_of_log(1));
  }

  boost::json::value cluster(int asked) const {
    auto reply = ask_at(asked, "GET", "/api/v1/cluster");
    return reply && reply->ok() ? reply->body : boost::json::value{};
  }

  /// The number of the node that leads, as `asked` says; 0: nobody does.
  int leader(int asked) const {
    for (const auto& member : members(asked))
      if (field_text(member, "leader") == "true")
        return number(field_text(member, "name"));
    return 0;
  }

  std::vector<boost::json::value> members(int asked) const {
    const auto answer = cluster(asked);
    const auto* list = field(answer, "members").if_array();
    return list ? std::vector<boost::json::value>{list->begin(), list->end()}
                : std::vector<boost::json::value>{};
  }

  /// Waits for a leader that `asked` knows.
  int await_leader(int asked) const {
    int found = 0;
    REQUIRE_MESSAGE(becomes_true(start_limit,
                                 [&] {
                                   found = leader(asked);
                                   return found != 0;
                                 }),
                    end_of_log(asked));
    return found;
  }

  /// All members are there, and have what the leader has.
  bool await_all(int asked) const {
    return becomes_true(catch_up_limit, [&] {
      const auto all = members(asked);
      return all.size() == nodes && std::ranges::all_of(all, [](const auto& each) {
               return field_text(each, "online") == "true" && field_text(each, "lag") == "0";
             });
    });
  }

  /// Creates a VM through any of `asked`, with one key, until it is acknowledged.
  std::string create(const std::string& name, const std::vector<int>& asked) const {
    const auto deadline = clock::now() + start_limit;
    for (size_t i = 0; clock::now() < deadline; ++i) {
      auto reply = ask_at(asked[i % asked.size()], "POST", "/api/v1/vms", vm_body(name, 16), name);
      if (reply && reply->status == 201)
        return field_text(reply->body, "id");
      if (reply && reply->status < 500)
        FAIL(boost::json::serialize(reply->body));
    }
    FAIL("not acknowledged: " << name);
    return {};
  }

  /// Names and ids of the VMs that a node shows, after everything acknowledged.
  std::multimap<std::string, std::string> listed_at(int asked) const {
    std::multimap<std::string, std::string> found;
    std::string cursor;
    do {
      const auto path = "/api/v1/vms?limit=100&consistency=linearizable"
                        + (cursor.empty() ? "" : "&cursor=" + cursor);
      result<client_reply> page = ask_at(asked, "GET", path);
      REQUIRE(becomes_true(start_limit, [&] {
        if (!page || !page->ok())
          page = ask_at(asked, "GET", path);
        return page && page->ok();
      }));
      for (const auto& item : field(page->body, "items").as_array())
        found.emplace(field_text(item, "name"), field_text(item, "id"));
      cursor = field_text(page->body, "next_cursor");
    } while (!cursor.empty());
    return found;
  }

private:
  static int number(const std::string& name) { return name.empty() ? 0 : name.back() - '0'; }
};

std::vector<int> all_but(int node) {
  std::vector<int> others;
  for (int each = 1; each <= nodes; ++each)
    if (each != node)
      others.push_back(each);
  return others;
}

/// Writers that go on until the test has seen enough; what was acknowledged, and when.
class busy_writers {
public:
  explicit busy_writers(const quorum_lab& lab) {
    for (int number = 0; number < writers; ++number)
      threads_.emplace_back([this, &lab, number] { work(lab, number); });
  }
  ~busy_writers() { stop(); }
  busy_writers(const busy_writers&) = delete;
  busy_writers& operator=(const busy_writers&) = delete;

  void stop() {
    over_ = true;
    for (auto& each : threads_)
      each.join();
    threads_.clear();
  }
  /// Of what was sent after `from`, when the first was acknowledged.
  std::optional<clock::time_point> first_sent_after(clock::time_point from) const {
    std::lock_guard lock{mutex_};
    std::optional<clock::time_point> first;
    for (const auto& [sent, acknowledged] : times_)
      if (sent >= from && (!first || acknowledged < *first))
        first = acknowledged;
    return first;
  }
  std::map<std::string, std::string> acknowledged() const {
    std::lock_guard lock{mutex_};
    return ids_;
  }

private:
  void work(const quorum_lab& lab, int number) {
    for (int i = 0; !over_; ++i) {
      const auto name = "w-" + std::to_string(number) + '-' + std::to_string(i);
      for (int turn = number; !over_; ++turn) {
        const auto sent = clock::now();
        auto reply = lab.ask_at(1 + turn % nodes, "POST", "/api/v1/vms", vm_body(name, 16), name);
        if (!reply || reply->status != 201)
          continue;
        std::lock_guard lock{mutex_};
        ids_[name] = field_text(reply->body, "id");
        times_.emplace_back(sent, clock::now());
        break;
      }
      std::this_thread::sleep_for(write_every); // the span between two writes
    }
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_;
  std::vector<std::pair<clock::time_point, clock::time_point>> times_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

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
