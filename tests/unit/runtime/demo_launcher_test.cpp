#include "runtime/demo/launcher.hpp"
#include "tests/becomes_true.hpp"

#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <functional>
#include <iterator>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct launched {
  std::filesystem::path folder;
  launcher nodes;

  launched() {
    std::string name = (std::filesystem::temp_directory_path() / "launcher.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~launched() {
    nodes.stop_all(1s);
    std::filesystem::remove_all(folder);
  }

  void start(const std::string& script) {
    nodes.start("node", {"/bin/sh", {"-c", script}, folder / "output"});
  }
  [[nodiscard]] std::string output() const {
    std::ifstream in{folder / "output"};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

bool eventually(const std::function<bool()>& condition) {
  return becomes_true(10s, condition);
}

} // namespace

TEST_CASE_FIXTURE(launched, "a node that is killed comes back as another process") {
  start("echo started; exec sleep 60");
  REQUIRE(eventually([&] { return output() == "started\n"; }));
  const auto first = nodes.kill("node");
  CHECK(first > 0);
  CHECK(eventually([&] { return output() == "started\nstarted\n"; }));
  CHECK(nodes.pid("node") != first);
  CHECK(nodes.given_up().empty());
}

TEST_CASE_FIXTURE(launched, "a node that can't start isn't started again") {
  start("echo bad configuration; exit 2");
  REQUIRE(eventually([&] { return !nodes.given_up().empty(); }));
  CHECK(nodes.given_up().find("node ended with status 2; see ") == 0);
  CHECK(output() == "bad configuration\n");
}

TEST_CASE_FIXTURE(launched, "a node that dies again and again is given up") {
  start("echo x; exit 1");
  REQUIRE(eventually([&] { return !nodes.given_up().empty(); }));
  CHECK(nodes.given_up().find("too often") != std::string::npos);
  CHECK(output().size() == 2 * (launcher::restart_limit + 1));
}

TEST_CASE_FIXTURE(launched, "a node that is asked to end is not killed") {
  start("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(eventually([&] { return output() == "ready\n"; }));
  CHECK(nodes.stop_all(5s).empty());
  CHECK(output() == "ready\nasked\n");
}

TEST_CASE_FIXTURE(launched, "a node that doesn't end is killed after the limit") {
  start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(eventually([&] { return output() == "ready\n"; }));
  CHECK(nodes.stop_all(100ms) == std::vector<std::string>{"node"});
}
