#include "hypervisor/simulated/machine.hpp"
#include "messages/uuid.hpp"
#include "quorum_lab.hpp"
#include "storage/state/cluster_state.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <set>

// A running cluster of the last program of the cluster version before ours, which
// .ci/previous-build makes, is upgraded to this one, node by node.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto end_limit = 20s;
constexpr auto rise_limit = 20s;
constexpr auto pause_limit = 10s;
constexpr auto look_every = 20ms;

std::filesystem::path previous_program() {
  return NOVACRON_PREVIOUS_PROGRAM;
}

bool there_is_a_previous_program() {
  if (std::filesystem::exists(previous_program()))
    return true;
  MESSAGE("skipped: there is no " << previous_program().string()
                                  << "; .ci/previous-build (make test-upgrade) makes it");
  return false;
}

/// Looks at the hosts' machines all the while: does each guest run, and once?
class guest_watch {
public:
  guest_watch(const cluster_lab& lab, std::vector<std::string> ids) : ids_{std::move(ids)} {
    for (int node = 1; node <= nodes; ++node)
      machines_.push_back(machine_of_node(lab.folder() / ("node-" + std::to_string(node))));
    thread_ = std::thread{[this] {
      for (; !over_; std::this_thread::sleep_for(look_every)) // the span between two looks
        look();
    }};
  }
  ~guest_watch() { stop(); }
  guest_watch(const guest_watch&) = delete;
  guest_watch& operator=(const guest_watch&) = delete;

  /// Ends the looking; what was seen amiss, a line each.
  std::set<std::string> stop() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
    return amiss_;
  }
  [[nodiscard]] int looks() const { return looks_; }

private:
  void look() {
    std::map<std::string, int> running;
    for (size_t n = 0; n < machines_.size(); ++n) {
      auto sight = look_at_machine(machines_[n]);
      if (!sight) {
        amiss_.insert("the machine of node-" + std::to_string(n + 1) + " doesn't answer");
        return;
      }
      for (const auto& guest : sight->guests)
        running[to_string(guest.vm)] += guest.phase == guest_phase::running ? 1 : 0;
    }
    for (const auto& id : ids_)
      if (running[id] != 1)
        amiss_.insert(id + " ran on " + std::to_string(running[id]) + " machines");
    ++looks_;
  }

  std::vector<machine_config> machines_;
  const std::vector<std::string> ids_;
  std::atomic<bool> over_ = false;
  std::atomic<int> looks_ = 0;
  std::set<std::string> amiss_; ///< the thread's, until it has ended
  std::thread thread_;
};

struct upgrade_lab : quorum_lab {
  upgrade_lab() : quorum_lab{previous_program()} {
    // nop
  }

  /// A guest that is bound to its host's lease and one that isn't, on each host.
  std::vector<std::string> run_guests() {
    std::vector<std::string> ids;
    for (const auto& [kind, more] :
         {std::pair{"guarded-", ",\"restart\":\"on_failure\""}, std::pair{"plain-", ""}})
      for (int n = 1; n <= nodes; ++n) {
        const auto name = kind + std::to_string(n);
        ids.push_back(create(name, {1, 2, 3}, more));
        REQUIRE(end_of(insist("POST", "/api/v1/vms/" + ids.back() + "/start", {}, name + "-start"))
                == "succeeded");
      }
    return ids;
  }

  /// Epoch and host of each of them, as node 1 shows them.
  std::map<std::string, std::string> places(const std::vector<std::string>& ids) const {
    std::map<std::string, std::string> found;
    for (const auto& id : ids) {
      auto reply = ask("GET", "/api/v1/vms/" + id);
      REQUIRE(reply.has_value());
      found[id] = field_text(reply->body, "host") + ' ' + field_text(reply->body, "epoch") + ' '
                  + field_text(reply->body, "actual");
    }
    return found;
  }

  /// As operators do it: stop it in order, exchange the program, start it.
  void upgrade(int node, const std::filesystem::path& program = NOVACRON_PROGRAM) {
    process(node).signal(SIGTERM);
    REQUIRE_MESSAGE(process(node).wait(end_limit), end_of_log(node));
    run_from(node, program);
    start(node);
    REQUIRE_MESSAGE(await_all(all_but(node).front()), end_of_log(node));
    REQUIRE_MESSAGE(await_hosts(nodes), end_of_log(node));
  }

  /// As the leader says it.
  uint64_t version(int asked) const { return field_number(cluster(asked), "cluster_version"); }

  client_reply compare(int asked, const std::string& key) const {
    client_reply last;
    becomes_true(rise_limit, [&] {
      auto reply = ask_at(asked, "POST", "/api/v1/cluster/compare", {}, key);
      if (reply)
        last = *reply;
      return reply && reply->status < 500;
    });
    return last;
  }

  /// The cluster's version stays, though this node's program knows the next.
  void stays_as_it_was(int asked) const {
    CHECK_MESSAGE(version(asked) == least_cluster_version, boost::json::serialize(cluster(asked)));
  }

  /// The leader has seen that all members' states were its own, there or later.
  bool all_compared(uint64_t index) const {
    return becomes_true(rise_limit, [&] {
      const auto all = members(1);
      return all.size() == nodes && std::ranges::all_of(all, [&](const auto& each) {
               return field_number(each, "compared_index") >= index;
             });
    });
  }
};

} // namespace

TEST_CASE("a running cluster is upgraded node by node, under writes, and its guests run on") {
  if (!there_is_a_previous_program())
    return;
  upgrade_lab lab;
  const auto ids = lab.run_guests();
  const auto before = lab.places(ids);
  guest_watch guests{lab, ids};
  busy_writers writing{lab};

  // The leader last, so an old one leads new ones; and then it is restarted, as after a
  // crash, so a new one leads it.
  const int old = lab.await_leader(1);
  const auto first = all_but(old);
  for (int node : first) {
    lab.upgrade(node);
    lab.stays_as_it_was(node);
  }
  lab.upgrade(first.back(), previous_program()); // as long as it hasn't risen there is a way back
  lab.upgrade(first.back());
  lab.kill(old);
  lab.start(old);
  REQUIRE_MESSAGE(lab.await_all(first.front()), lab.end_of_log(old));
  lab.stays_as_it_was(first.back());
  CHECK_MESSAGE(!lab.process(old).wait(0ms), lab.end_of_log(old)); // it reads what new ones write

  lab.upgrade(old);
  CHECK_MESSAGE(becomes_true(rise_limit, [&] { return lab.version(1) == known_cluster_version; }),
                boost::json::serialize(lab.cluster(1)));
  client_reply compared;
  CHECK_MESSAGE(becomes_true(rise_limit, // node 1 applies the rise a moment after the leader
                             [&] {
                               compared = lab.compare(1, "now");
                               return compared.status == 202;
                             }),
                boost::json::serialize(compared.body));
  REQUIRE(field_number(compared.body, "index") > 0);
  CHECK_MESSAGE(lab.all_compared(field_number(compared.body, "index")),
                boost::json::serialize(lab.cluster(1)));

  // However quick the upgrade was, users got through, and the guests were looked at.
  CHECK(becomes_true(rise_limit,
                     [&] { return writing.acknowledged().size() >= 10 && guests.looks() > 50; }));
  writing.stop();
  const auto amiss = guests.stop();
  for (const auto& each : amiss)
    CHECK_MESSAGE(false, each);
  CHECK(lab.places(ids) == before);
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(writing.longest_pause());
  MESSAGE(writing.acknowledged().size() << " writes; the longest pause was " << pause.count()
                                        << " ms; " << guests.looks() << " looks at the guests");
  CHECK(pause < pause_limit);
  for (int node = 1; node <= nodes; ++node) {
    const auto listed = lab.listed_at(node);
    for (const auto& [name, id] : writing.acknowledged()) {
      CHECK_MESSAGE(listed.count(name) == 1, name);
      if (listed.count(name) == 1)
        CHECK(listed.find(name)->second == id);
    }
  }

  // There is no way back: a program of before doesn't know what is in the log now.
  const int last = first.front();
  lab.kill(last);
  lab.run_from(last, previous_program());
  lab.start(last);
  CHECK(becomes_true(end_limit,
                     [&] { return lab.end_of_log(last).find("update it") != std::string::npos; }));
  lab.kill(last);
  lab.run_from(last, NOVACRON_PROGRAM);
  lab.start(last);
  CHECK_MESSAGE(lab.await_all(all_but(last).front()), lab.end_of_log(last));
}
