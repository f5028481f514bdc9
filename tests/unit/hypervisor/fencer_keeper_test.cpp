#include "hypervisor/fencer/libvirtd_keeper.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fstream>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

int lookups = 0;

} // namespace

/// Counts who asks the machine's directory of users.
extern "C" int getgrouplist(const char* user, gid_t group, gid_t* groups, int* count) {
  ++lookups;
  auto* const real = reinterpret_cast<decltype(&getgrouplist)>(::dlsym(RTLD_NEXT, "getgrouplist"));
  return real(user, group, groups, count);
}

namespace {

/// A libvirtd that is a shell script, run as ourselves or as nobody, on a clock of the test's own.
struct kept {
  explicit kept(const std::string& script) {
    char name[] = "/tmp/nova-keep-XXXXXX";
    folder = ::mkdtemp(name);
    ::chmod(folder.c_str(), 0711);
    config.host = {random_uuid()};
    config.state = folder / "state";
    config.user = "nobody";
    config.libvirtd = folder / "libvirtd";
    std::ofstream{config.libvirtd} << "#!/bin/sh\n" << script << '\n';
    ::chmod(config.libvirtd.c_str(), 0755);
    libvirtd.emplace(config);
    REQUIRE(libvirtd->prepare().has_value());
    keeper.emplace(*libvirtd);
  }
  ~kept() {
    keeper->stop(now);
    now += 10s;
    keeper->tick(now);
    if (!keeper->stopped())
      reap();
    fs::remove_all(folder);
  }

  /// Waits for a child of the keeper's and passes its death on. Those that copy
  /// logs end as well, whenever they like.
  void reap() {
    int status = 0;
    int pid = 0;
    do {
      pid = ::waitpid(-1, &status, 0);
      REQUIRE(pid > 0);
    } while (!keeper->died(pid, status, now));
  }

  fs::path folder;
  fencer_config config;
  std::optional<libvirtd_process> libvirtd;
  std::optional<libvirtd_keeper> keeper;
  std::chrono::nanoseconds now = 100s;
};

} // namespace

TEST_CASE("a libvirtd that dies again and again is started again, ever more slowly, up to 10 s") {
  kept x{"exit 3"};
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 9; ++i) {
    x.keeper->tick(x.now);
    x.reap(); // what ends other libvirtds
    CHECK(x.keeper->pid() > 0);
    x.reap(); // libvirtd itself
    CHECK(x.keeper->pid() == 0);
    REQUIRE(x.keeper->next().has_value());
    waits.push_back(*x.keeper->next() - x.now);
    x.now = *x.keeper->next();
  }
  CHECK(waits
        == std::vector<std::chrono::nanoseconds>{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms,
                                                 10s, 10s});
}

TEST_CASE("whom libvirtd runs as is asked before the fencer's work begins, and not again") {
  kept x{"exit 3"};
  const auto before = lookups;
  CHECK(before > 0);
  x.keeper->tick(x.now);
  x.reap();
  CHECK(x.keeper->pid() > 0);
  x.reap();
  CHECK(lookups == before);
}

TEST_CASE("after a long life libvirtd is started again soon") {
  kept x{"exit 3"};
  for (int i = 0; i < 5; ++i) {
    x.keeper->tick(x.now);
    x.reap();
    if (i == 4)
      x.now += 31s;
    x.reap();
    if (i < 4)
      x.now = *x.keeper->next();
  }
  CHECK(*x.keeper->next() - x.now == 100ms);
}

TEST_CASE("a libvirtd that can't be executed is tried again later") {
  kept x{"exit 3"};
  fs::remove(x.config.libvirtd);
  x.keeper->tick(x.now);
  x.reap();
  CHECK(x.keeper->pid() == 0);
  CHECK(x.keeper->next() == x.now + 100ms);
}

TEST_CASE("a libvirtd that ignores its end is killed after 3 s") {
  kept x{"trap '' TERM; echo ready > $HOME/ready; while :; do sleep 1; done"};
  x.keeper->tick(x.now);
  x.reap();
  auto end = std::chrono::steady_clock::now() + 10s;
  while (!fs::exists(x.config.state / "home" / "ready") && std::chrono::steady_clock::now() < end)
    ;
  auto pid = x.keeper->pid();
  x.keeper->stop(x.now);
  CHECK_FALSE(x.keeper->stopped());
  CHECK(x.keeper->next() == x.now + 3s);
  x.keeper->tick(x.now + 2999ms);
  CHECK(::waitpid(pid, nullptr, WNOHANG) == 0);
  x.now += 3s;
  x.keeper->tick(x.now);
  x.reap();
  CHECK(x.keeper->stopped());
}

TEST_CASE("what libvirtd says stands in its log") {
  kept x{"echo a word; echo another >&2; exit 3"};
  x.keeper->tick(x.now);
  x.reap();
  x.reap();
  while (::waitpid(-1, nullptr, 0) > 0) // who copies the log
    continue;
  std::ifstream log{x.libvirtd->layout().log};
  const std::string text{std::istreambuf_iterator<char>{log}, {}};
  CHECK(text == "a word\nanother\n");
}
