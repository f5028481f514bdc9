#include "cluster_lab.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "messages/uuid.hpp"

#include <atomic>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <sys/types.h>
#include <thread>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr auto runs_elsewhere_within = 30s;
constexpr auto look_every = 20ms;
const std::string ha = ",\"restart\":\"on_failure\"";
const std::string off = R"({"confirm":"off"})";

/// A cluster of simulated hosts, whose machines are counted from outside all the while.
class counted_cluster {
public:
  counted_cluster(lab_plan plan, const std::vector<std::string>& settings)
      : lab{true, settings, plan} {
    lab.start_all();
    counter_ = std::thread{[this] {
      for (; !over_; std::this_thread::sleep_for(look_every)) // the span between two looks
        count();
    }};
  }
  ~counted_cluster() {
    over_ = true;
    counter_.join();
  }

  [[nodiscard]] machine_config machine(int node) const {
    return machine_of_node(lab.folder() / ("node-" + std::to_string(node)));
  }

  /// Where the VM's guest runs now, by the machines alone.
  [[nodiscard]] std::set<int> places(const std::string& id) const {
    std::set<int> found;
    for (int node = 1; node <= 3; ++node)
      if (auto sight = look_at_machine(machine(node)))
        for (const auto& guest : sight->guests)
          if (to_string(guest.vm) == id && guest.phase == guest_phase::running)
            found.insert(node);
    return found;
  }

  /// A VM of each kind that runs on each host; those on node-3, first the ha one.
  std::pair<std::string, std::string> run_everywhere() {
    std::pair<std::string, std::string> there;
    for (const auto& [kind, more] : {std::pair{"guarded-", ha}, {"plain-", std::string{}}})
      for (int n = 1; n <= 3; ++n) {
        const auto name = kind + std::to_string(n);
        auto made = lab.insist("POST", "/api/v1/vms", vm_body(name, 16, more), name);
        REQUIRE(made.status == 201);
        const auto id = field_text(made.body, "id");
        ids.push_back(id);
        REQUIRE(lab.end_of(lab.insist("POST", "/api/v1/vms/" + id + "/start", {}, name + "-start"))
                == "succeeded");
        if (field_text(made.body, "host") == "node-3")
          (more.empty() ? there.second : there.first) = id;
      }
    REQUIRE(!there.first.empty());
    REQUIRE(!there.second.empty());
    return there;
  }

  /// Pulls the plug: agent and machine, with all guests.
  void power_off(int node) {
    const auto sight = look_at_machine(machine(node));
    REQUIRE(sight.has_value());
    lab.kill(node);
    REQUIRE(::kill(sight->pid, SIGKILL) == 0);
  }

  [[nodiscard]] bool runs_away_from(const std::string& id, int node,
                                    std::chrono::milliseconds limit) const {
    return becomes_true(limit, [&] {
      const auto where = places(id);
      return where.size() == 1 && !where.contains(node) && text_of(id, "actual") == "running"
             && text_of(id, "host") != "node-" + std::to_string(node);
    });
  }

  [[nodiscard]] std::string text_of(const std::string& id, const std::string& name) const {
    auto reply = lab.ask("GET", "/api/v1/vms/" + id);
    return reply && reply->ok() ? field_text(reply->body, name) : std::string{};
  }

  /// VMs that were seen to run on two machines.
  [[nodiscard]] std::set<std::string> seen_twice() {
    std::lock_guard lock{mutex_};
    return twice_;
  }

  cluster_lab lab;              // NOLINT: the test works on it
  std::vector<std::string> ids; // NOLINT: of all VMs

private:
  void count() {
    std::set<std::string> running;
    for (int node = 1; node <= 3; ++node)
      if (auto sight = look_at_machine(machine(node)))
        for (const auto& guest : sight->guests)
          if (guest.phase == guest_phase::running && !running.insert(to_string(guest.vm)).second) {
            std::lock_guard lock{mutex_};
            twice_.insert(to_string(guest.vm));
          }
  }

  std::mutex mutex_;
  std::set<std::string> twice_;
  std::atomic<bool> over_ = false;
  std::thread counter_;
};

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
