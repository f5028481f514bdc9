#include "actors/scale_out/scale_out.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A gateway's counter, and an operator's command as a script.
struct full_gateway : virtual_time {
  std::shared_ptr<shed_count> shed = std::make_shared<shed_count>();
  command_runner runner; ///< outlives the actor, as the node's does
  scale_out_actor actor;
  fs::path folder;

  full_gateway() {
    char name[] = "/tmp/novacron-scale-out-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~full_gateway() {
    kill(actor);
    fs::remove_all(folder);
  }

  void start(const std::string& body) {
    const auto script = folder / "more";
    std::ofstream{script} << "#!/bin/sh\nls=" << folder.native() << "\n" << body << '\n';
    fs::permissions(script, fs::perms::owner_all);
    scale_out_setup setup;
    setup.when.pause = 10s;
    setup.run = runner = make_command_runner({script.native(), "gateway-2"}, 60s);
    setup.node = "gateway-1";
    setup.shed = shed;
    actor = system.spawn(scale_out, setup, logger{});
    run();
  }

  /// Sends requests away, and lets virtual time pass while the command runs in true time.
  bool in_time(const std::function<bool()>& holds) {
    return becomes_true(20s, [&] {
      shed->add();
      pass(200ms);
      return holds();
    });
  }
  [[nodiscard]] std::string left(const std::string& name) const {
    std::ifstream in{folder / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

} // namespace

TEST_CASE_FIXTURE(full_gateway, "a gateway that sends nobody away asks for none") {
  start("echo $@ >> $ls/runs");
  pass(60s);
  CHECK(left("runs").empty());
}

TEST_CASE_FIXTURE(full_gateway, "a gateway that is full has the command run with its name") {
  start("echo $@ >> $ls/runs");
  CHECK(in_time([&] { return left("runs") == "gateway-2 gateway-1\n"; }));
}

TEST_CASE_FIXTURE(full_gateway, "a command that fails is run again, and then no more") {
  start("echo x >> $ls/runs; [ $(wc -l < $ls/runs) -ge 2 ]");
  CHECK(in_time([&] { return left("runs") == "x\nx\n"; }));
  pass(60s); // nobody is sent away
  CHECK(left("runs") == "x\nx\n");
}

TEST_CASE_FIXTURE(full_gateway, "killed in the middle, it takes its run along") {
  start("echo $$ >> $ls/runs; exec sleep 300");
  REQUIRE(in_time([&] { return left("runs").ends_with('\n'); }));
  const auto process = "/proc/" + left("runs").substr(0, left("runs").size() - 1);
  kill(actor);
  CHECK(becomes_true(10s, [&] { return !fs::exists(process); }));
}
