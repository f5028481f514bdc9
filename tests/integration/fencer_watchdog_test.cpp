#include "fenced_host.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/deadline_file.hpp"
#include "messages/lease_margins.hpp"
#include "tests/unit/hypervisor/watchdog_stand_in.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// A host whose fencer has a stand-in for a watchdog.
struct watched_host : fenced_host {
  explicit watched_host(const std::string& name = "a.watchdog") {
    watchdog = config.state / name;
    std::ofstream{watchdog};
    config.watchdog = watchdog_config{watchdog, 6s};
  }

  /// Waits for a pet with this timeout, later than `after`.
  [[nodiscard]] bool petted(std::chrono::seconds timeout, std::chrono::nanoseconds after) const {
    return becomes_true(3s, [&] {
      const auto pets = pets_of(watchdog);
      return !pets.empty() && pets.back().when > after && pets.back().timeout == timeout;
    });
  }

  std::filesystem::path watchdog;
};

std::string refusal(const fencer_config& config) {
  auto client = fencer_client::attach(config, FENCER_PROGRAM);
  REQUIRE_FALSE(client.has_value());
  return client.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(text);
  return found;
}

/// A process that SIGKILL doesn't end as long as this lives, as when its disk hangs: whoever
/// traces it is asked first.
class unkillable {
public:
  explicit unkillable(int pid) : pid_{pid} {
    REQUIRE(::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT) == 0);
  }
  ~unkillable() { release(); }
  void release() {
    if (pid_ == 0)
      return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, __WALL);
    if (WIFSTOPPED(status)) {
      ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);
      ::waitpid(pid_, nullptr, __WALL);
    }
    pid_ = 0;
  }

private:
  int pid_;
};

} // namespace

TEST_CASE("the fencer pets its watchdog while all is well, and disarms it when it is stopped") {
  watched_host host;
  auto client = host.attach_fencer();
  CHECK(client.status()->watchdog == 6s);
  REQUIRE(client.set_deadline(boot_time() + 1h).has_value());
  const auto begin = boot_time();
  CHECK(host.petted(6s, begin));
  CHECK(host.petted(6s, begin + 1s));
  CHECK_FALSE(disarmed(host.watchdog));
  REQUIRE(client.stop().has_value());
  CHECK(becomes_true(2s, [&] { return disarmed(host.watchdog); }));
}

TEST_CASE("a fencer that is killed leaves its watchdog armed, and the next one pets it") {
  watched_host host;
  auto client = host.attach_fencer();
  REQUIRE(client.set_deadline(boot_time() + 2s).has_value());
  const auto deadline = *client.status()->deadline;
  // The last pet is the kernel's, when the fencer dies: with the timeout that was set.
  REQUIRE(host.petted(3s, {}));
  ::kill(client.status()->pid, SIGKILL);
  REQUIRE(becomes_true(2s, [&] { return !client.status().has_value(); }));
  CHECK_FALSE(disarmed(host.watchdog));
  CHECK(boot_time() + pets_of(host.watchdog).back().timeout <= deadline + lease_kill_time + 250ms);
  const auto begin = boot_time();
  auto again = host.attach_fencer();
  CHECK(host.petted(6s, std::max(begin, deadline)));
}

TEST_CASE("past the deadline the watchdog is petted only once the guests are dead") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can hold a process that is being killed");
    return;
  }
  watched_host host;
  auto client = host.attach();
  unkillable guest{host.start_guest(true)};
  const auto deadline = boot_time() + 500ms;
  REQUIRE(client.set_deadline(deadline).has_value());
  const auto ordered = boot_time();
  REQUIRE(becomes_true(2s, [&] { return client.status()->dying == 1; }));
  REQUIRE(becomes_true(5s, [&] { return boot_time() > deadline + lease_kill_time + 500ms; }));
  for (const auto& pet : pets_of(host.watchdog))
    if (pet.when > ordered)
      CHECK(pet.when + pet.timeout <= deadline + lease_kill_time);
  // It can't be talked out of it either, but by the guest's death.
  const auto late = boot_time();
  guest.release();
  CHECK(host.petted(6s, late));
  CHECK(client.status()->killed == 1);
}

TEST_CASE("a fencer that is stopped while a guest can't be killed leaves its watchdog armed") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can hold a process that is being killed");
    return;
  }
  watched_host host;
  auto client = host.attach();
  unkillable guest{host.start_guest(true)};
  REQUIRE(client.set_deadline(boot_time()).has_value());
  REQUIRE(becomes_true(2s, [&] { return client.status()->dying == 1; }));
  auto fencer = client.status()->pid;
  REQUIRE(client.stop().has_value());
  CHECK(becomes_true(2s, [&] { return !alive(fencer); }));
  CHECK_FALSE(disarmed(host.watchdog));
}

TEST_CASE("a fencer refuses to start without the watchdog that it was told of, and says why") {
  {
    watched_host host{"plain"};
    CHECK(holds(refusal(host.config),
                "can't use the watchdog " + host.watchdog.native() + ": it is none: "));
  }
  {
    watched_host host{"least-60.watchdog"};
    CHECK(holds(refusal(host.config), "a timeout of 6 s is refused"));
    CHECK(disarmed(host.watchdog));
  }
  watched_host host;
  std::filesystem::remove(host.watchdog);
  CHECK(holds(refusal(host.config), "load its driver"));
}

TEST_CASE("a fencer that runs without the watchdog that is named now isn't attached to") {
  watched_host host;
  auto plain = host.config;
  plain.watchdog.reset();
  auto client = fencer_client::attach(plain, FENCER_PROGRAM);
  REQUIRE(client.has_value());
  CHECK(holds(refusal(host.config), "was started without the watchdog"));
  ::kill(client->status()->pid, SIGTERM);
  CHECK(becomes_true(10s, [&] {
    auto again = fencer_client::attach(host.config, FENCER_PROGRAM);
    return again && again->status()->watchdog == 6s;
  }));
}
