#include "actors/leader_only/leader_only.hpp"
#include "actors/stonith/stonith.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/replica_fake.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const node_id lost_host{{0, 1}};

/// A replica that leads when the test says so, a state with a lost host, one of whose VMs waits
/// for proof, a frontend that keeps what it is told, and an operator's command, as a script.
struct one_controller : virtual_time {
  caf::actor told; ///< who leads
  std::vector<node_id> fenced;
  task_id begins; ///< the evacuation that the latest word begins
  host_record host;
  replica_actor replica_fake;
  feed_source_actor feed_fake;
  controller_frontend_actor frontend_fake;
  leader_only_actor watch;
  fs::path folder;

  one_controller() {
    char name[] = "/tmp/novacron-stonith-XXXXXX";
    folder = ::mkdtemp(name);
    host.id = lost_host;
    host.name = "node-1";
    host.state = host_state::unreachable;
    host.lost_lease = 42;
    host.revision = 5;
    replica_fake = system.spawn([this] { return asked_who_leads(told); });
    feed_fake
        = system.spawn([this](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
            return {
                [this](const list_request&) {
                  vm_record vm;
                  vm.id = {{0, 7}};
                  vm.host = lost_host;
                  vm.actual = actual_state::lost;
                  vm.revision = 5;
                  return feed_listing{5, {host, vm}, {}};
                },
                [self](const pull_request&) -> caf::result<feed_changes> {
                  return self->make_response_promise<feed_changes>();
                },
                [](const migration_progress&) {},
            };
          });
    frontend_fake = system.spawn(
        [this](controller_frontend_actor::pointer) -> controller_frontend_actor::behavior_type {
          return {
              [](const proposal&) { return outcomes{}; },
              [](const group_status_request&) { return group_status{}; },
              [this](const forwarded_proposal& x) {
                const auto& word = std::get<fence_host>(x.what.commands.at(0).body);
                fenced.push_back(word.host);
                begins = word.task;
                return outcomes{{command_outcome{}}};
              },
              [](const leadership&) {},
          };
        });
  }

  ~one_controller() {
    kill(watch);
    kill(replica_fake);
    kill(feed_fake);
    kill(frontend_fake);
    told = nullptr;
    fs::remove_all(folder);
  }

  /// As the node's supervisor does, with this script for a command.
  void start(const std::string& body) {
    const auto script = folder / "fence";
    std::ofstream{script} << "#!/bin/sh\nls=" << folder.native() << "\n" << body << '\n';
    fs::permissions(script, fs::perms::owner_all);
    stonith_setup setup;
    setup.when.after = 1s;
    setup.when.pause = 1s;
    setup.run = make_command_runner({script.native(), "--off"}, 20s);
    watch = system.spawn(leader_only, "stonith", replica_fake,
                         leader_starter{[this, setup](caf::actor_system& where) {
                           return caf::actor_cast<caf::actor>(
                               where.spawn(stonith, setup, feed_fake, frontend_fake, logger{}));
                         }},
                         logger{});
    run();
  }

  void leads(bool here, uint64_t term) {
    caf::anon_send(told, leadership{here, here ? node_id{{0, 9}} : node_id{}, term});
    pass(200ms);
  }

  /// Lets virtual time pass, while the command runs in true time, until this holds.
  bool in_time(const std::function<bool()>& holds) {
    return becomes_true(20s, [&] {
      pass(20ms);
      return holds();
    });
  }

  [[nodiscard]] std::string left(const std::string& name) const {
    std::ifstream in{folder / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  [[nodiscard]] bool there(const std::string& name) const { return fs::exists(folder / name); }
};

} // namespace

TEST_CASE_FIXTURE(one_controller, "the leader runs the command, and its status 0 fences the host") {
  start("echo \"$@\" >> $ls/runs");
  leads(true, 3);
  CHECK(in_time([&] { return !fenced.empty(); }));
  CHECK(fenced == std::vector{lost_host});
  CHECK(!begins.nil());
  CHECK(left("runs") == "--off node-1 " + to_string(lost_host) + "\n");
}

TEST_CASE_FIXTURE(one_controller, "who doesn't lead runs nothing") {
  start(": > $ls/ran");
  leads(false, 3);
  pass(60s);
  CHECK_FALSE(there("ran"));
  CHECK(fenced.empty());
}

TEST_CASE_FIXTURE(one_controller, "a command that fails is no word, and is run again") {
  start("echo x >> $ls/runs; [ $(wc -l < $ls/runs) -ge 3 ]");
  leads(true, 3);
  CHECK(in_time([&] { return !fenced.empty(); }));
  CHECK(left("runs") == "x\nx\nx\n");
}

TEST_CASE_FIXTURE(one_controller, "with the lead the run ends, and the next leader runs it again") {
  start("echo $$ >> $ls/runs; [ -e $ls/go ] || exec sleep 300");
  leads(true, 3);
  REQUIRE(in_time([&] { return left("runs").ends_with('\n'); }));
  const auto process = "/proc/" + left("runs").substr(0, left("runs").size() - 1);
  leads(false, 4);
  CHECK(becomes_true(10s, [&] { return !fs::exists(process); }));
  CHECK(fenced.empty());
  std::ofstream{folder / "go"};
  leads(true, 5);
  CHECK(in_time([&] { return !fenced.empty(); }));
}

TEST_CASE_FIXTURE(one_controller, "killed in the middle, it takes its run along") {
  start("echo $$ >> $ls/runs; exec sleep 300");
  leads(true, 3);
  REQUIRE(in_time([&] { return left("runs").ends_with('\n'); }));
  const auto process = "/proc/" + left("runs").substr(0, left("runs").size() - 1);
  kill(watch);
  CHECK(becomes_true(10s, [&] { return !fs::exists(process); }));
  CHECK(fenced.empty());
}
