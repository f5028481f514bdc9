#include "hypervisor/console/tick_series.hpp"
#include "hypervisor/simulated/tick_program.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr uint64_t pages = 1024; ///< 4 MiB

guest_tick run(guest_memory& memory, int ticks) {
  std::string line;
  for (int i = 0; i < ticks; ++i)
    line = tick_program::tick(memory, tick_program::period);
  auto tick = parse_tick(line);
  REQUIRE_MESSAGE(tick.has_value(), line);
  return *tick;
}

std::vector<std::byte> copy_of(const guest_memory& memory, uint64_t page) {
  const auto content = memory.page(page);
  return {content.begin(), content.end()};
}

} // namespace

TEST_CASE("a simulated guest ticks as the lab's does, and finds its memory good") {
  guest_memory memory{pages};
  tick_program::boot(memory, "quiet novacron.region=1 novacron.dirty=1", 0);
  CHECK(tick_program::tick(memory, tick_program::period).starts_with("TICK 1 0.10 mem=ok "));
  const auto later = run(memory, 249);
  CHECK(later.number == 250);
  CHECK(later.memory_ok);
  CHECK(later.sweep == 2); // 256 pages, 3 of them a tick
}

TEST_CASE("a copy of a simulated guest's memory goes on where the original was") {
  guest_memory memory{pages};
  tick_program::boot(memory, "novacron.dirty=1", 0);
  run(memory, 30);
  guest_memory copy{pages};
  for (uint64_t page = 0; page < pages; ++page)
    copy.store(page, memory.page(page));
  CHECK(copy.digest() == memory.digest());
  const auto original = run(memory, 120);
  const auto copied = run(copy, 120);
  CHECK(copied.number == 150);
  CHECK(copied.memory_ok);
  CHECK(copied.checksum == original.checksum);
}

TEST_CASE("a page that is stale or lost is found by the next pass, and never forgiven") {
  guest_memory memory{pages};
  tick_program::boot(memory, "novacron.sweep=1", 100);
  constexpr uint64_t victim = 162; // written by the first tick, and long not again
  const auto old = copy_of(memory, victim);
  REQUIRE(run(memory, 15).memory_ok);
  SUBCASE("stale") {
    REQUIRE(copy_of(memory, victim) != old);
    memory.store(victim, old);
  }
  SUBCASE("lost") {
    memory.clear(victim);
  }
  CHECK(!run(memory, 10).memory_ok);
  CHECK(!run(memory, 50).memory_ok);
}

TEST_CASE("a bit that is flipped on request is found") {
  guest_memory memory{pages};
  tick_program::boot(memory, "novacron.corrupt=5 novacron.sweep=1", 0);
  CHECK(run(memory, 4).memory_ok);
  CHECK(!run(memory, 11).memory_ok);
}

TEST_CASE("what a simulated guest writes is dirty, and at the rate that was asked for") {
  guest_memory memory{pages};
  tick_program::boot(memory, "novacron.dirty=1", 0); // 256 pages a second
  memory.take_dirty();
  run(memory, 5);
  CHECK(memory.dirty_pages() == 128 + 1); // the program's own, too
  CHECK(memory.take_dirty().front() == 0);
  tick_program::boot(memory, "novacron.dirty=99999999999", 0);
  // Each page of the region once, not for ever.
  CHECK(tick_program::tick(memory, tick_program::period).ends_with(" written=256\n"));
}

TEST_CASE("a region that doesn't fit is said on the console, and nothing ticks") {
  guest_memory memory{pages};
  CHECK(tick_program::boot(memory, "novacron.region=4", 0)
        == "FATAL cannot map 1024 pages: lower novacron.region\n");
  CHECK(tick_program::tick(memory, tick_program::period).empty());
}
