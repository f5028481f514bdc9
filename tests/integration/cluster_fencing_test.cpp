#include "cluster_lab.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "messages/descriptor.hpp"
#include "runtime/demo/leftovers.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// From the agent's end to that of its ha guests: a term, the kill, and a busy machine.
constexpr auto fenced_within = 15s;

const std::vector<std::string> short_lease{"lease.term_ms=3000", "lease.renew_ms=500"};

/// One node that is everything, with two guests that run.
class two_guests {
public:
  explicit two_guests(const std::vector<std::string>& settings) : lab{false, settings} {
    lab.start(1);
    REQUIRE_MESSAGE(lab.await_hosts(1), lab.end_of_log(1));
    hosts_ = nodes_of_cluster(lab.folder() / "cluster");
    begin("guarded", ",\"restart\":\"on_failure\"");
    begin("plain", "");
    guarded_ = pids(true);
    plain_ = pids(false);
    REQUIRE(guarded_.size() == 1);
    REQUIRE(plain_.size() == 1);
  }

  /// Our guests' processes, as counted by /proc alone.
  [[nodiscard]] std::set<int> pids(bool ha) const {
    std::set<int> found;
    for (const auto& guest : find_guest_processes())
      if (hosts_.contains(guest.mark.host) && guest.mark.ha == ha)
        found.insert(guest.pid);
    return found;
  }

  /// The ha guest ends, and the other one outlives it.
  void check_fenced() const {
    CHECK(becomes_true(fenced_within, [&] { return pids(true).empty(); }));
    CHECK(pids(false) == plain_);
  }

  [[nodiscard]] bool same_as_before() const {
    return pids(true) == guarded_ && pids(false) == plain_;
  }

  cluster_lab lab; // NOLINT: the test works on it

private:
  void begin(const std::string& name, const std::string& more) {
    auto made = lab.insist("POST", "/api/v1/vms", vm_body(name, 96, more), name);
    REQUIRE(made.status == 201);
    const auto path = "/api/v1/vms/" + field_text(made.body, "id");
    const auto end = lab.end_of(lab.insist("POST", path + "/start", {}, name + "-start"));
    REQUIRE_MESSAGE(end == "succeeded", lab.end_of_log(1));
  }

  std::set<node_id> hosts_;
  std::set<int> guarded_;
  std::set<int> plain_;
};

/// Kills the fencer for good; the arguments that it was started with.
std::vector<std::string> kill_fencer(const cluster_lab& lab) {
  const auto found = lab.fencers();
  REQUIRE(found.size() == 1);
  const auto& [pid, arguments] = *found.begin();
  descriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  REQUIRE(handle);
  REQUIRE(lab.fencers().contains(pid)); // the number is still its
  ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0U);
  REQUIRE(becomes_true(10s, [&] { return lab.fencers().empty(); }));
  return arguments;
}

} // namespace

TEST_CASE("an agent that is killed and stays dead loses its ha guest and no other") {
  two_guests x{short_lease};
  x.lab.kill(1);
  CHECK(x.same_as_before()); // guests outlive their agent
  x.check_fenced();
}

TEST_CASE("an agent that is frozen loses its ha guest and no other") {
  two_guests x{short_lease};
  x.lab.process(1).signal(SIGSTOP);
  x.check_fenced();
  x.lab.process(1).signal(SIGCONT);
}

TEST_CASE("a fencer that is killed with its agent fences when it starts again") {
  two_guests x{short_lease};
  x.lab.process(1).signal(SIGSTOP); // or it would start the next fencer
  const auto arguments = kill_fencer(x.lab);
  x.lab.kill(1);
  CHECK(x.same_as_before());
  auto fencer
      = child_process::start({NOVACRON_PROGRAM, arguments, x.lab.folder() / "second-fencer.log"});
  REQUIRE(fencer.has_value());
  x.check_fenced();
  fencer->signal(SIGTERM);
  fencer->wait(10s);
}

TEST_CASE("an agent that is killed and comes back in time loses no guest") {
  constexpr auto term = 12s;
  two_guests x{{"lease.term_ms=12000", "lease.renew_ms=2000"}};
  x.lab.kill(1);
  const auto killed = std::chrono::steady_clock::now();
  x.lab.start(1);
  REQUIRE_MESSAGE(x.lab.await_hosts(1), x.lab.end_of_log(1));
  // Until the deadline that the dead agent left behind is well past.
  CHECK_FALSE(becomes_true(std::chrono::duration_cast<std::chrono::milliseconds>(
                               killed + term + 3s - std::chrono::steady_clock::now()),
                           [&] { return !x.same_as_before(); }));
  for (const auto& vm : x.lab.list("vms"))
    CHECK(field_text(vm, "actual") == "running");
}
