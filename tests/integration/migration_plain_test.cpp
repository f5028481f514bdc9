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

TEST_CASE("a guest that writes faster than the link carries stays where it is, or is slowed down") {
  // Of 16 MiB of noise each page is another one every second, and the link takes 4 s for them.
  two_hosts hosts{"novacron.region=16 novacron.sweep=2 novacron.dirty=16 novacron.mode=rand"};
  link_faults narrow;
  narrow.per_second = 4'000'000;
  hosts.set_link(narrow);
  auto& from = hosts.here();
  const auto end = hosts.end_of(hosts.migrate());
  REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
  CHECK(end->phase == migration_phase::rolled_back);
  CHECK_MESSAGE(end->reason.find("as fast as the link carries it") != std::string::npos,
                end->reason);
  MESSAGE(end->reason, "; after ", (end->ended - end->created) / 1s, " s");
  CHECK(hosts.settles_at(from));

  auto& to = hosts.there();
  const auto slowed = hosts.end_of(hosts.migrate({migration_intent::speed}), 3min);
  REQUIRE_MESSAGE(slowed.has_value(), hosts.log_lines());
  CHECK_MESSAGE(slowed->phase == migration_phase::done, slowed->reason, "\n", hosts.log_lines());
  MESSAGE("slowed down, it was over after ", (slowed->ended - slowed->created) / 1s, " s, ",
          slowed->cost.rounds, " rounds");
  hosts.mend();
  CHECK(hosts.settles_at(to));
}
