#include "actors/blocking/operator_command.hpp"
#include "hypervisor/fencer/pid_handle.hpp"
#include "tests/becomes_true.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Scripts, and what they leave behind.
struct scripts {
  scripts() {
    char name[] = "/tmp/novacron-stonith-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~scripts() { fs::remove_all(folder); }

  [[nodiscard]] command_end run(const std::string& body, std::chrono::milliseconds limit = 30s,
                                std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), write(body));
    return run_operator_command(arguments, limit, stop);
  }

  [[nodiscard]] std::string write(const std::string& body) const {
    const auto script = folder / "fence";
    std::ofstream{script} << "#!/bin/sh\n" << body << '\n';
    fs::permissions(script, fs::perms::owner_all);
    return script.native();
  }

  [[nodiscard]] std::string left(const std::string& name) const {
    std::ifstream in{folder / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  fs::path folder;
  command_stop stop;
};

bool holds(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(text);
  return found;
}

} // namespace

TEST_CASE_FIXTURE(scripts, "status 0 is an end as it should be; arguments come as they are") {
  const auto result
      = run("printf '%s|' \"$@\" > " + (folder / "said").native(), 30s, {"node 1", "$(id)"});
  CHECK(result.ok);
  CHECK(left("said") == "node 1|$(id)|");
}

TEST_CASE_FIXTURE(scripts, "any other end doesn't, and is told with the last line") {
  auto failed = run("echo first; echo 'no such outlet' >&2; exit 3");
  CHECK_FALSE(failed.ok);
  CHECK(failed.what == "status 3: no such outlet");
  CHECK(run("kill -TERM $$").what == "signal 15");
  CHECK(run("printf 'a\\033b\\n'; exit 1").what == "status 1: a b");
  const auto missing = run_operator_command({"/nonexistent/fence"}, 30s, stop);
  CHECK_FALSE(missing.ok);
  CHECK(holds(missing.what, "status 127: it can't be executed"));
}

TEST_CASE_FIXTURE(scripts, "what takes longer than it may is killed, with all that it started") {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = run("sleep 300 & echo $! > " + (folder / "child").native() + "; wait", 500ms);
  CHECK_FALSE(result.ok);
  CHECK(holds(result.what, "killed after 500 ms"));
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
  const auto child = std::stoi(left("child"));
  CHECK(becomes_true(5s, [=] { return read_proc(child, "cmdline").empty(); }));
}

TEST_CASE_FIXTURE(scripts, "a run that nobody wants any more is killed") {
  std::thread other{[this] {
    becomes_true(10s, [this] { return fs::exists(folder / "begun"); });
    stop.request();
  }};
  const auto result = run(": > " + (folder / "begun").native() + "; sleep 300");
  other.join();
  CHECK_FALSE(result.ok);
  CHECK(holds(result.what, "it isn't needed any more"));
}

TEST_CASE_FIXTURE(scripts, "what it leaves behind is killed, and doesn't hold us") {
  const auto result = run("sleep 300 & echo $! > " + (folder / "child").native() + "; exit 0");
  CHECK(result.ok);
  const auto child = std::stoi(left("child"));
  CHECK(becomes_true(5s, [=] { return read_proc(child, "cmdline").empty(); }));
}

TEST_CASE_FIXTURE(scripts, "much output holds nobody, and the last line is kept") {
  const auto result = run("seq 1 200000; exit 1");
  CHECK(result.what == "status 1: 200000");
}

TEST_CASE_FIXTURE(scripts, "it has no descriptors of ours, and no input") {
  const auto result = run("ls /proc/self/fd | wc -l; cat; exit 1");
  // 0, 1, 2, the shell's script, and the folder that ls reads; or one less.
  CHECK((result.what == "status 1: 4" || result.what == "status 1: 5"));
}
