#include "messages/descriptor.hpp"
#include "runtime/node/stop_signal.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A process that is about to stop, and has a minute for it. It ends with 7.
struct stopping_process {
  pid_t pid = 0;
  descriptor words; ///< its standard error

  stopping_process() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    words = descriptor{ends[0]};
    const descriptor out{ends[1]};
    pid = ::fork();
    if (pid == 0) {
      ::dup2(out.get(), STDERR_FILENO);
      const stop_signal stop;
      exit_after(60s, 7);
      for (;;)
        ::pause();
    }
    REQUIRE(pid > 0);
  }
  ~stopping_process() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  /// Its threads, by how they are: 'S' for one that waits.
  [[nodiscard]] std::string threads() const {
    std::string states;
    std::error_code gone;
    const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/task";
    for (std::filesystem::directory_iterator at{folder, gone}, end; !gone && at != end;
         at.increment(gone)) {
      std::ifstream in{at->path() / "stat"};
      std::string line;
      std::getline(in, line);
      const auto name = line.rfind(") ");
      states += name == line.npos ? '?' : line[name + 2];
    }
    return states;
  }

  /// What it has said, once it has ended.
  [[nodiscard]] std::string last_words() const {
    std::string all;
    std::array<char, 256> text{};
    for (ssize_t n = 0; (n = ::read(words.get(), text.data(), text.size())) > 0;)
      all.append(text.data(), static_cast<size_t>(n));
    return all;
  }
};

} // namespace

TEST_CASE_FIXTURE(stopping_process,
                  "a process that is frozen while it stops keeps its time for it") {
  REQUIRE(becomes_true(10s, [this] { return threads() == "SS"; }));
  ::kill(pid, SIGSTOP);
  REQUIRE(becomes_true(10s, [this] { return threads() == "TT"; }));
  ::kill(pid, SIGCONT);
  REQUIRE(becomes_true(10s, [this] { return threads() == "SS" || threads() == "Z"; }));
  ::kill(pid, SIGTERM);
  const auto said = last_words();
  CHECK_MESSAGE(said.find("asked to stop a second time") != std::string::npos, said);
}
