#include "tests/integration/two_hosts.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;

TEST_CASE("a guest that goes home finds most of its memory there") {
  // 8 MiB of noise, all of which may be written anew between two migrations: little beside the
  // rest.
  two_hosts hosts{"novacron.region=8 novacron.sweep=2 novacron.dirty=1 novacron.mode=rand",
                  uint64_t{1} << 30};
  link_faults narrow;
  narrow.per_second = 8'000'000;
  const auto move = [&] {
    hosts.set_link(narrow);
    auto& to = hosts.there();
    const auto end = hosts.end_of(hosts.migrate(), std::chrono::minutes{2});
    REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
    REQUIRE_MESSAGE(end->phase == migration_phase::done, end->reason, "\n", hosts.log_lines());
    CHECK(hosts.settles_at(to));
    return end->cost;
  };
  const auto away = move();
  const auto back = move();
  const auto away_again = move(); // where it was lent from in between, it is kept as well
  MESSAGE("bytes on the wire: ", away.wire_bytes, ", home ", back.wire_bytes, ", and back again ",
          away_again.wire_bytes);
  CHECK(back.wire_bytes < away.wire_bytes / 2);
  CHECK(away_again.wire_bytes < away.wire_bytes / 2);
  CHECK(back.work.same_pages > away.work.same_pages);
}
