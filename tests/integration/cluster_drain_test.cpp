#include "cluster_lab.hpp"
#include "hypervisor/simulated/machine.hpp"

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <iterator>
#include <set>
#include <thread>

// A host is emptied while what drives that dies. Three nodes, each controller,
// gateway and host, as processes; guests are simulated, and outlive their agents.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr int nodes = 3;
constexpr int guests = 6;
constexpr auto drain_limit = 120s;

struct draining_lab : cluster_lab {
  draining_lab()
      : cluster_lab{true,
                    {"host.vcpus=64", "host.memory_mib=10000", "node.chaos=true"},
                    lab_plan::three_nodes} {
    start_all();
  }

  /// From any node that answers; null: none does.
  boost::json::value read(const std::string& path) const {
    for (int node = 1; node <= nodes; ++node)
      if (auto reply = ask_at(node, "GET", path); reply && reply->ok())
        return reply->body;
    return {};
  }

  client_reply change(const std::string& path, const std::string& body, const std::string& key) {
    client_reply last;
    REQUIRE(becomes_true(60s, [&] {
      for (int node = 1; node <= nodes; ++node)
        if (auto reply = ask_at(node, "POST", path, body, key); reply && reply->status < 500) {
          last = *reply;
          return true;
        }
      return false;
    }));
    return last;
  }

  /// Running guests, all on this host.
  std::vector<std::string> run_guests(const std::string& host) {
    for (int node = 1; node <= nodes; ++node)
      if (const auto name = "node-" + std::to_string(node); name != host)
        REQUIRE(change("/api/v1/hosts/" + name + "/cordon", {}, "close-" + name).ok());
    std::vector<std::string> ids;
    for (int n = 0; n < guests; ++n) {
      const auto name = "guest-" + std::to_string(n);
      auto made = change("/api/v1/vms", vm_body(name, 64), name);
      REQUIRE_MESSAGE(made.status == 201, boost::json::serialize(made.body));
      REQUIRE(field_text(made.body, "host") == host);
      ids.push_back(field_text(made.body, "id"));
      REQUIRE(change("/api/v1/vms/" + ids.back() + "/start", {}, "start-" + name).ok());
    }
    for (const auto& id : ids)
      REQUIRE(becomes_true(
          60s, [&] { return field_text(read("/api/v1/vms/" + id), "actual") == "running"; }));
    for (int node = 1; node <= nodes; ++node)
      if (const auto name = "node-" + std::to_string(node); name != host)
        REQUIRE(change("/api/v1/hosts/" + name + "/uncordon", {}, "open-" + name).ok());
    return ids;
  }

  /// The number of the node that leads, as others say; 0: nobody does.
  int leader() const {
    const auto cluster = read("/api/v1/cluster");
    if (const auto* members = field(cluster, "members").if_array())
      for (const auto& member : *members)
        if (field_text(member, "leader") == "true")
          return field_text(member, "name").back() - '0';
    return 0;
  }

  double finished(const std::string& task) const {
    return field_number(read("/api/v1/tasks/" + task), "finished");
  }

  /// By the log, all of them run, none on this host, and no migration is open.
  void check_moved(const std::vector<std::string>& ids, const std::string& from) {
    std::string wrong;
    CHECK_MESSAGE(becomes_true(60s,
                               [&] {
                                 wrong.clear();
                                 for (const auto& id : ids) {
                                   const auto vm = read("/api/v1/vms/" + id);
                                   if (field_text(vm, "actual") != "running"
                                       || field_text(vm, "host") == from
                                       || !field_text(vm, "migration").empty())
                                     wrong += boost::json::serialize(vm) + '\n';
                                 }
                                 return wrong.empty();
                               }),
                  wrong);
  }
};

/// Asks the hosts' machines, past all agents, which guests run where: now and
/// then for as long as it lives, whether one runs twice.
class machine_watch {
public:
  explicit machine_watch(const std::filesystem::path& folder) {
    for (int node = 1; node <= nodes; ++node)
      machines_.push_back(machine_of_node(folder / ("node-" + std::to_string(node))));
    thread_ = std::thread{[this] {
      while (!over_) {
        twice_ += runs_twice();
        ++looks_;
        std::this_thread::sleep_for(20ms); // the span between two looks
      }
    }};
  }
  ~machine_watch() {
    over_ = true;
    thread_.join();
  }
  machine_watch(const machine_watch&) = delete;
  machine_watch& operator=(const machine_watch&) = delete;

  /// Machines on which this VM's guest runs.
  [[nodiscard]] int runs_of(const std::string& vm) const {
    int count = 0;
    for (const auto& machine : machines_)
      for (const auto& id : running_on(machine))
        count += to_string(id) == vm;
    return count;
  }
  [[nodiscard]] int twice() const { return twice_; }
  [[nodiscard]] int looks() const { return looks_; }

private:
  static std::set<vm_id> running_on(const machine_config& machine) {
    std::set<vm_id> found;
    if (auto sight = look_at_machine(machine))
      for (const auto& guest : sight->guests)
        if (guest.phase == guest_phase::running)
          found.insert(guest.vm);
    return found;
  }

  /// One that runs here, then there, and then still here, surely ran twice.
  [[nodiscard]] int runs_twice() const {
    int found = 0;
    for (const auto& here : machines_) {
      const auto first = running_on(here);
      for (const auto& there : machines_) {
        if (here.state == there.state)
          continue;
        std::set<vm_id> both;
        std::ranges::set_intersection(first, running_on(there), std::inserter(both, both.end()));
        if (both.empty())
          continue;
        const auto still = running_on(here);
        found += static_cast<int>(
            std::ranges::count_if(both, [&](const auto& vm) { return still.contains(vm); }));
      }
    }
    return found;
  }

  std::vector<machine_config> machines_;
  std::atomic<bool> over_{false};
  std::atomic<int> twice_{0};
  std::atomic<int> looks_{0};
  std::thread thread_;
};

std::string task_text(const draining_lab& lab, const std::string& task) {
  return boost::json::serialize(lab.read("/api/v1/tasks/" + task));
}

} // namespace

TEST_CASE("a host is emptied though the leader and the drain's actors die in the middle") {
  draining_lab lab;
  int leads = 0;
  REQUIRE(becomes_true(60s, [&] { return (leads = lab.leader()) != 0; }));
  // Neither the leader's machine nor its guests are what is emptied.
  const auto from = "node-" + std::to_string(leads % nodes + 1);
  const auto ids = lab.run_guests(from);
  const machine_watch watch{lab.folder()};
  auto begun = lab.change("/api/v1/hosts/" + from + "/drain", R"({"parallel":1})", "drain");
  REQUIRE_MESSAGE(begun.status == 202, boost::json::serialize(begun.body));
  const auto task = field_text(begun.body, "id");

  REQUIRE(becomes_true(drain_limit, [&] { return lab.finished(task) >= 1; }));
  REQUIRE(becomes_true(30s, [&] { return (leads = lab.leader()) != 0; }));
  MESSAGE("killing the drain's actor on node-" << leads);
  auto killed = lab.change(
      "/api/v1/chaos/kill",
      R"({"node":"node-)" + std::to_string(leads) + R"(","actor":"services/drain"})", "kill");
  CHECK(killed.ok());

  REQUIRE_MESSAGE(becomes_true(drain_limit, [&] { return lab.finished(task) >= 2; }),
                  task_text(lab, task));
  REQUIRE(becomes_true(30s, [&] { return (leads = lab.leader()) != 0; }));
  MESSAGE("killing the leader, node-" << leads << ", after " << lab.finished(task) << " guests");
  lab.kill(leads);
  CHECK(becomes_true(30s, [&] {
    const auto now = lab.leader();
    return now != 0 && now != leads;
  }));
  lab.start(leads);

  CHECK_MESSAGE(becomes_true(drain_limit,
                             [&] {
                               return field_text(lab.read("/api/v1/tasks/" + task), "state")
                                      == "finished";
                             }),
                task_text(lab, task));
  CHECK(field_number(lab.read("/api/v1/tasks/" + task), "finished") == guests);
  lab.check_moved(ids, from);
  for (const auto& id : ids)
    CHECK_MESSAGE(watch.runs_of(id) == 1, id);
  CHECK(watch.twice() == 0);
  CHECK(watch.looks() > 10);
  const auto hosts = lab.list("hosts");
  const auto emptied = std::ranges::find_if(
      hosts, [&](const auto& host) { return field_text(host, "name") == from; });
  REQUIRE(emptied != hosts.end());
  CHECK(field_text(*emptied, "state") == "drained");
  CHECK(field_text(*emptied, "vms") == "0");
}
