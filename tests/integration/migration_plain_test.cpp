#include "tests/integration/two_hosts.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

TEST_CASE("a guest moves there and back without a pause that one would notice") {
  two_hosts hosts;
  for (const std::string way : {"there", "back"}) {
    CAPTURE(way);
    auto& to = hosts.there();
    auto begun = std::chrono::steady_clock::now();
    auto epoch = hosts.vm().epoch;
    auto end = hosts.end_of(hosts.migrate());
    REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
    CHECK_MESSAGE(end->phase == migration_phase::done, end->reason, "\n", hosts.log_lines());
    CHECK(end->cost.chain_ok);
    CHECK(end->cost.guest_bytes > 20'000'000);
    CHECK(end->cost.wire_bytes < end->cost.guest_bytes);
    CHECK(hosts.vm().epoch == epoch.next());
    CHECK(hosts.settles_at(to));
    auto gap = hosts.console().largest_gap(begun, std::chrono::steady_clock::now());
    MESSAGE(way, ": ", end->cost.duration.count(), " ms, ", end->cost.guest_bytes,
            " bytes of the guest, ", end->cost.wire_bytes, " on the wire, tick gap ", gap / 1ms,
            " ms");
    CHECK(gap < 1s);
  }
}
