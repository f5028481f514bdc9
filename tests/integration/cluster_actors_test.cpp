#include "cluster_lab.hpp"

#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto settle_limit = 30s;
constexpr auto answer_limit = 8s; // an answer of all nodes, one of which is silent

/// What node 1's gateway shows of all nodes' actors.
struct actors_lab : cluster_lab {
  actors_lab() : cluster_lab{true} { start_all(); }

  boost::json::value tree() const {
    auto reply = ask("GET", "/api/v1/cluster/actors");
    REQUIRE(reply.has_value());
    REQUIRE_MESSAGE(reply->status == 200, boost::json::serialize(reply->body));
    return reply->body;
  }

  /// A node of the answer; null: it isn't there.
  static boost::json::value node_of(const boost::json::value& tree, const std::string& name) {
    for (const auto& node : field(tree, "nodes").as_array())
      if (field_text(node, "name") == name)
        return node;
    return nullptr;
  }

  /// The actor at this path, "node-1/services/feed"; null: it isn't there.
  boost::json::value actor(const std::string& path) const {
    const auto all = tree();
    for (const auto& node : field(all, "nodes").as_array())
      for (const auto& each : field(node, "actors").as_array())
        if (field_text(each, "path") == path)
          return each;
    return nullptr;
  }

  bool reaches(const std::string& name) const {
    return field_text(node_of(tree(), name), "reachable") == "true";
  }
};

} // namespace

TEST_CASE("every node shows its actors, and one that was killed shows that it was") {
  actors_lab lab;
  for (const std::string node : {"node-1", "node-2", "node-3"})
    CHECK_MESSAGE(lab.reaches(node), boost::json::serialize(lab.tree()));
  auto feed = lab.actor("node-1/services/feed");
  CHECK(field_text(feed, "state") == "running");
  CHECK(field_text(feed, "restarts") == "0");
  CHECK(field(feed, "mailbox").is_number());
  CHECK(lab.actor("node-2/services/controller").is_object()); // it has no replica
  auto made = lab.insist("POST", "/api/v1/vms", vm_body("one", 16), "one");
  REQUIRE(made.status == 201);
  const auto vm = field_text(made.body, "host") + "/guests/vm-" + field_text(made.body, "id");
  CHECK(
      becomes_true(settle_limit, [&] { return field_text(lab.actor(vm), "state") == "running"; }));
  const auto slash = vm.find('/');
  auto killed = lab.ask("POST", "/api/v1/chaos/kill",
                        R"({"node":")" + vm.substr(0, slash) + R"(","actor":")"
                            + vm.substr(slash + 1) + "\"}");
  REQUIRE(killed.has_value());
  CHECK(killed->status == 200);
  CHECK(becomes_true(settle_limit, [&] {
    auto now = lab.actor(vm);
    return field_text(now, "restarts") == "1" && field_text(now, "last_failure") == "it was killed";
  }));
}

TEST_CASE("a node that is dead, or hangs, is shown as unreachable within the request's time") {
  actors_lab lab;
  auto told_in_time = [&](const std::string& name) {
    const auto begin = std::chrono::steady_clock::now();
    const bool reached = lab.reaches(name);
    CHECK(std::chrono::steady_clock::now() - begin < answer_limit);
    return !reached;
  };
  lab.process(3).signal(SIGSTOP);
  CHECK(told_in_time("node-3"));
  CHECK(lab.reaches("node-1"));
  lab.process(3).signal(SIGCONT);
  CHECK(becomes_true(settle_limit, [&] { return lab.reaches("node-3"); }));
  lab.kill(2);
  CHECK(told_in_time("node-2"));
}
