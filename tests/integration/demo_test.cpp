// The demo as people run it: the executable, on simulated guests, which need no QEMU.

#include "hypervisor/simulated/machine.hpp"
#include "runtime/demo/child_process.hpp"
#include "runtime/demo/leftovers.hpp"
#include "tests/becomes_true.hpp"

#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <thread>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr auto demo_limit = 200s;
/// Of 91 ports each, below those that the kernel gives to outgoing connections.
constexpr int first_port = 11'000;
constexpr int places = 90;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class demo {
public:
  demo() {
    auto pattern = (std::filesystem::temp_directory_path() / "novacron-demo-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    above_ = pattern;
  }
  ~demo() {
    child_.signal(SIGINT);
    child_.wait(30s);
    end_leftovers(folder(), nodes_of_cluster(folder() / "cluster"));
    std::filesystem::remove_all(above_);
  }

  [[nodiscard]] std::filesystem::path folder() const { return above_ / "demo"; }
  [[nodiscard]] std::string output() const { return text_of(above_ / "output"); }
  [[nodiscard]] boost::json::object summary() const {
    return boost::json::parse(text_of(folder() / "summary.json")).as_object();
  }

  void start(const std::vector<std::string>& more, const std::string& driver = "simulated") {
    const auto port = first_port + ::getpid() % places * 91;
    std::vector<std::string> arguments{"demo", "--folder", folder().string(),   "--driver",
                                       driver, "--port",   std::to_string(port)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto child = child_process::start({NOVACRON_PROGRAM, arguments, above_ / "output"});
    REQUIRE(child.has_value());
    child_ = std::move(*child);
  }
  /// Its exit, as in "status 0".
  std::string run(const std::vector<std::string>& more) {
    start(more);
    return end();
  }
  std::string end() {
    REQUIRE(child_.wait(demo_limit));
    return child_.ending();
  }
  void interrupt() { child_.signal(SIGINT); }

  /// That nothing of it lives any more.
  [[nodiscard]] bool left_nothing() const {
    return end_leftovers(folder(), nodes_of_cluster(folder() / "cluster")).empty();
  }

private:
  std::filesystem::path above_;
  child_process child_;
};

} // namespace

TEST_CASE_FIXTURE(demo, "the demo on simulated guests is green, and says that they are") {
  REQUIRE_MESSAGE(run({}) == "status 0", output());
  CHECK(output().starts_with("novacron demo: SIMULATED guests, no QEMU runs: as asked for\n"));
  CHECK(contains(output(), "driver simulated, simulated (no QEMU ran); 3 nodes"));
  const auto found = summary();
  CHECK(found.at("driver") == "simulated");
  CHECK(found.at("accelerator") == "simulated");
  CHECK(found.at("ticks").to_number<int>() > 100);
  CHECK(found.at("guest_memory_ok") == true);
  CHECK(found.at("kills").as_array().size() == 4);
  CHECK(found.at("duplicate_runs").to_number<int>() == 0);
  CHECK(left_nothing());
}

TEST_CASE_FIXTURE(demo, "a guest that is held still for three seconds turns the demo red") {
  REQUIRE_MESSAGE(run({"--pause-guest", "3000"}) == "status 1", output());
  CHECK_MESSAGE(contains(output(), "FAILED: the guest was silent for "), output());
  CHECK(summary().at("max_tick_gap_ms").to_number<int>() >= 2'900);
  CHECK(summary().at("guest_memory_ok") == true);
  CHECK(left_nothing());
}

TEST_CASE_FIXTURE(demo, "one flipped bit of the guest's memory turns the demo red") {
  REQUIRE_MESSAGE(run({"--guest-args", "novacron.corrupt=20"}) == "status 1", output());
  CHECK_MESSAGE(contains(output(), "FAILED: the guest's check of its memory failed"), output());
  CHECK(summary().at("guest_memory_ok") == false);
}

TEST_CASE_FIXTURE(demo, "a demo that keeps running says how to use it, and ends at Ctrl-C") {
  start({"--keep", "--guest-memory", "96"});
  REQUIRE_MESSAGE(becomes_true(demo_limit, [&] { return contains(output(), " events\n"); }),
                  output());
  CHECK_MESSAGE(contains(output(), "All checks hold."), output());
  CHECK(contains(output(), "  URL    http://127.0.0.1:"));
  CHECK(contains(output(), "  token  " + (folder() / "cluster" / "admin-token").string() + '\n'));
  const auto at = output().find("Try:\n  ");
  REQUIRE(at != std::string::npos);
  auto command = output().substr(at + 7);
  command.resize(command.find('\n')); // the first of three: host ls
  CHECK(std::system((command + " > /dev/null").c_str()) == 0);
  interrupt();
  CHECK(end() == "status 0");
  CHECK(left_nothing());
}

TEST_CASE_FIXTURE(demo, "where no real guest can be had the demo says why, and goes on without") {
  const auto nowhere = (folder() / "nowhere").string();
  start({"--guest-image", nowhere}, "auto");
  REQUIRE_MESSAGE(becomes_true(60s, [&] { return contains(output(), "is up: process"); }),
                  output());
  CHECK_MESSAGE(output().starts_with("novacron demo: SIMULATED guests, no QEMU runs: "), output());
  const auto line = output().substr(0, output().find('\n'));
  CHECK_MESSAGE(contains(line, " is missing; "), line);
  interrupt();
  CHECK(end() == "status 130");
}

TEST_CASE_FIXTURE(demo, "an interrupted demo ends what it started") {
  start({});
  REQUIRE_MESSAGE(becomes_true(60s, [&] { return contains(output(), "4. It moves"); }), output());
  interrupt();
  CHECK(end() == "status 130");
  CHECK(left_nothing());
}

TEST_CASE_FIXTURE(demo, "a demo that can't begin says why in one line and ends with status 2") {
  SUBCASE("--guest-memory") {
    CHECK(run({"--guest-memory", "12"}) == "status 2");
    CHECK(contains(output(), "--guest-memory 12 is too little"));
  }
  SUBCASE("--guest-memory that is no number") {
    for (const auto* wrong : {"-5", "much", "99999999999999999999"})
      CHECK(run({"--guest-memory", wrong}) == "status 2");
    CHECK(contains(output(), "--guest-memory: \"-5\" is no whole number"));
  }
  SUBCASE("--guest-args") {
    CHECK(run({"--guest-args", "novacron.region=4000"}) == "status 2");
    CHECK(contains(output(), "doesn't fit into 256 MiB"));
  }
  SUBCASE("--port") {
    CHECK(run({"--port", "70000"}) == "status 2");
  }
  SUBCASE("--driver") {
    CHECK(run({"--driver", "xen"}) == "status 2");
  }
  SUBCASE("a folder that is not ours") {
    std::filesystem::create_directories(folder());
    std::ofstream{folder() / "something"} << "precious";
    CHECK(run({}) == "status 2");
    CHECK(contains(output(), "holds something that no demo made"));
    CHECK(text_of(folder() / "something") == "precious");
  }
  CHECK_MESSAGE(!contains(output(), "1. novacron cluster init"), output());
}

TEST_CASE_FIXTURE(demo, "what is left of one folder's demo is ended, of a folder below it not") {
  const auto machine_in = [&](const std::filesystem::path& where) {
    auto arguments = machine_arguments(machine_of_node(where / "node-1"));
    std::filesystem::create_directories(folder());
    auto child = child_process::start({NOVACRON_PROGRAM, arguments, folder() / "output"});
    REQUIRE(child.has_value());
    REQUIRE(becomes_true(
        20s, [&] { return look_at_machine(machine_of_node(where / "node-1")).has_value(); }));
    return std::move(*child);
  };
  auto ours = machine_in(folder());
  auto others = machine_in(folder() / "other");
  CHECK(end_leftovers(folder(), {}) == std::vector<std::string>{"simulated-machine"});
  CHECK(ours.wait(5s));
  CHECK(!others.wait(0ms));
}
