// A destination whose disk can't take what must be noted there.

#include "tests/integration/two_hosts.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

TEST_CASE("a destination whose disk is full gives the guest back, and the record says why") {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  auto& to = hosts.there();
  // Where the marks' folder should be is a file: no mark can be made, as on a full disk.
  const auto marks = to.machine().config.state / "finishing";
  std::atomic<bool> done{false};
  hosts.before_commit([&] {
    fs::remove_all(marks);
    std::ofstream{marks} << "no folder";
    done = true;
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto end = hosts.end_of(hosts.migrate());
  REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
  CHECK(done);
  CHECK(end->phase == migration_phase::rolled_back);
  CHECK_MESSAGE(end->reason.find("free space") != std::string::npos, end->reason);
  CHECK(hosts.console().wait_for_ticks(2, 10s));
  MESSAGE("the guest stood for ",
          hosts.console().largest_gap(begun, std::chrono::steady_clock::now()) / 1ms, " ms");
  fs::remove(marks);
  hosts.mend();
  CHECK_MESSAGE(hosts.settles_at(from), hosts.log_lines());
  // With room again it can be moved.
  const auto again = hosts.end_of(hosts.migrate());
  REQUIRE_MESSAGE(again.has_value(), hosts.log_lines());
  CHECK_MESSAGE(again->phase == migration_phase::done, again->reason);
  CHECK_MESSAGE(hosts.settles_at(to), hosts.log_lines());
  end_shared_hosts();
}
