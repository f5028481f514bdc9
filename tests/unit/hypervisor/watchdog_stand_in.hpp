#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace novacron::test {

/// A watchdog that resets nothing: any file whose name ends with ".watchdog", in a program that
/// watchdog_stand_in.cpp is linked into, answers Linux's watchdog requests. What it was
/// asked is in the file; the driver's other half, write(2), is the file's own.
///
/// With "least-N" in its name it refuses timeouts below N seconds; with "careless" it
/// says that it knows no magic close; with "fixed" that its timeout can't be set.
struct watchdog_event {
  std::chrono::nanoseconds when{0}; ///< CLOCK_BOOTTIME
  std::chrono::seconds timeout{0};  ///< that it had then
};

/// The pets, timeouts included, that a stand-in's file holds.
std::vector<watchdog_event> pets_of(const std::filesystem::path& file);
/// Whether its last word was the magic close.
bool disarmed(const std::filesystem::path& file);

} // namespace novacron::test
