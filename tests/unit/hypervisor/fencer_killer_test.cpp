#include "hypervisor/fencer/guest_killer.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Processes that look like guests in /proc: sleep(1) under QEMU's name, or
/// dd(1) with 256 MiB of memory, which takes its time to die.
class fake_guests {
public:
  fake_guests() {
    char name[] = "/tmp/novacron-guests-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::copy_file("/bin/sleep", folder_ / "qemu-system-fake");
    fs::copy_file("/bin/dd", folder_ / "qemu-system-big");
    fs::copy_file("/bin/sleep", folder_ / "sleep");
  }
  ~fake_guests() {
    for (auto pid : pids_)
      if (::kill(pid, SIGKILL) == 0)
        ::waitpid(pid, nullptr, 0);
    fs::remove_all(folder_);
  }

  int start(const std::string& mark, const char* program = "qemu-system-fake") {
    auto path = (folder_ / program).native();
    auto variable = guest_mark_variable + ("=" + mark);
    const char* sleeping[] = {path.c_str(), "300", nullptr};
    const char* copying[] = {path.c_str(), "if=/dev/zero", "of=/dev/null", "bs=256M", nullptr};
    const auto* arguments = program == std::string_view{"qemu-system-big"} ? copying : sleeping;
    const char* environment[] = {"BEFORE=1", variable.c_str(), "AFTER=1", nullptr};
    auto pid = ::fork();
    if (pid == 0) {
      ::execve(path.c_str(), const_cast<char**>(arguments), const_cast<char**>(environment));
      ::_exit(127);
    }
    pids_.push_back(pid);
    // Until the new program has taken the place of our copy.
    auto end = std::chrono::steady_clock::now() + 5s;
    while (read_proc(pid, "environ").find(variable) == std::string::npos)
      REQUIRE(std::chrono::steady_clock::now() < end);
    return pid;
  }

private:
  fs::path folder_;
  std::vector<int> pids_;
};

std::string mark(node_id host, bool ha) {
  return to_string(guest_mark{host, {random_uuid()}, {1, 1}, ha});
}

bool dead(int pid, std::chrono::milliseconds patience = 5s) {
  return pid_handle::open(pid).dead(patience);
}

} // namespace

TEST_CASE("guests are told from other processes by program and by mark") {
  fake_guests guests;
  node_id host{random_uuid()};
  auto guest = guests.start(mark(host, false));
  guests.start(mark(host, true), "sleep");
  guests.start("host=nonsense");
  std::vector<int> found;
  for (const auto& x : find_guest_processes())
    if (x.mark.host == host)
      found.push_back(x.pid);
  CHECK(found == std::vector<int>{guest});
}

TEST_CASE("only the ha guests of the host are killed, and their deaths are counted") {
  fake_guests guests;
  node_id host{random_uuid()};
  auto bound = guests.start(mark(host, true));
  auto free = guests.start(mark(host, false));
  auto foreign = guests.start(mark({random_uuid()}, true));
  guest_killer killer{host};
  auto met = killer.kill();
  REQUIRE(met.size() == 1);
  CHECK(met[0].pid == bound);
  REQUIRE(dead(bound));
  killer.confirm();
  CHECK(killer.killed() == 1);
  CHECK(killer.dying() == 0);
  CHECK_FALSE(dead(free, 0ms));
  CHECK_FALSE(dead(foreign, 0ms));

  auto late = guests.start(mark(host, true));
  killer.kill();
  CHECK(dead(late));
}

TEST_CASE("a look that couldn't see all processes says so") {
  guest_killer killer{{random_uuid()}};
  killer.kill();
  CHECK_FALSE(killer.missed_some());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  killer.kill();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(killer.missed_some());
  killer.kill();
  CHECK_FALSE(killer.missed_some());
}

TEST_CASE("a kill counts only when the guest is dead") {
  fake_guests guests;
  node_id host{random_uuid()};
  guest_killer killer{host};
  auto guest = guests.start(mark(host, true), "qemu-system-big");
  auto filled = [&] {
    auto facts = read_proc(guest, "status");
    auto at = facts.find("VmRSS:");
    return at != std::string::npos && std::stoul(facts.substr(at + 6)) > 200 * 1024;
  };
  auto end = std::chrono::steady_clock::now() + 20s;
  while (!filled())
    REQUIRE(std::chrono::steady_clock::now() < end);
  killer.kill();
  CHECK(killer.killed() + killer.dying() == 1);
  while (killer.killed() == 0 && std::chrono::steady_clock::now() < end)
    killer.confirm();
  CHECK(dead(guest, 0ms));
  CHECK(killer.killed() == 1);
  CHECK(killer.dying() == 0);
  CHECK(killer.kill().empty());
}
