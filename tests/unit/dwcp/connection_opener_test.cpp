#include "dwcp/session/connection_opener.hpp"
#include "qemu_pair.hpp"

#include <atomic>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + 10s;
}

} // namespace

TEST_CASE("all attempts run at once, and each is taken once, with how it ended") {
  std::atomic<int> under_way{0};
  std::atomic<int> progress{0};
  connection_opener opener{
      [&](uint16_t number, const wakeup&, deadline) -> result<opened_connection> {
        ++under_way;
        // None ends before all have begun.
        if (!eventually([&] { return under_way >= 3; }) || number == 1)
          return make_failure(dwcp_errc::unreachable, "number one");
        return opened_connection{};
      },
      [&] { ++progress; }};
  for (uint16_t i = 0; i < 3; ++i)
    opener.begin(i, soon());
  CHECK(eventually([&] { return progress == 3; }));
  const auto taken = opener.take();
  REQUIRE(taken.size() == 3);
  for (const auto& each : taken)
    CHECK(each.outcome.has_value() == (each.number != 1));
  CHECK(opener.take().empty());
  // The number is free again.
  opener.begin(1, soon());
  CHECK(eventually([&] { return progress == 4; }));
  CHECK(opener.take().size() == 1);
}

TEST_CASE("stopped, it breaks off what is under way, and gives what was opened before") {
  std::atomic<int> progress{0};
  connection_opener opener{
      [&](uint16_t number, const wakeup& stop, deadline until) -> result<opened_connection> {
        if (number == 0)
          return opened_connection{};
        wait_for(-1, 0, stop, until);
        return make_failure(dwcp_errc::cancelled, "told to stop");
      },
      [&] { ++progress; }};
  opener.begin(0, soon());
  opener.begin(1, soon());
  CHECK(eventually([&] { return progress == 1; }));
  const auto before = std::chrono::steady_clock::now();
  const auto left = opener.stop();
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  REQUIRE(left.size() == 2);
  CHECK(left[0].number == 0);
  CHECK(left[0].outcome.has_value());
  CHECK(code(left[1].outcome) == dwcp_errc::cancelled);
  CHECK(opener.stop().empty());
}
