#pragma once

#include "hypervisor/simulated/guest_memory.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace novacron {

/// The only program of a simulated guest. It does what the lab's guest does
/// (tests/lab/guest/tick.c), on `guest_memory`: each tick it writes some pages
/// of its region, verifies others against what they must hold, and prints
///
///     TICK <n> <uptime, s> mem=<ok|BAD> <running checksum> sweep=<complete passes> written=<pages>
///
/// All that it knows lies in the memory itself, in page 0: a copy of the memory
/// goes on where the original was, and a copy that is stale or incomplete shows.
namespace tick_program {

inline constexpr std::chrono::milliseconds period{100};

/// Starts the program in an empty memory of at least two pages. `arguments`:
/// those of the lab's guest, novacron.region=MIB, .dirty=MIB_per_s, .sweep=SECONDS,
/// .seed=N, .corrupt=TICK. Without a region it guards a quarter of the memory,
/// without .dirty it writes `dirty_pages` pages a second. Returns what it prints.
std::string boot(guest_memory& memory, std::string_view arguments, uint64_t dirty_pages);

/// One tick, `since_last` after the one before. Returns the line that it prints;
/// empty when the memory holds no program that could run.
std::string tick(guest_memory& memory, std::chrono::nanoseconds since_last);

} // namespace tick_program

} // namespace novacron
