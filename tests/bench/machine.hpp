#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <sys/types.h>

namespace novacron::bench {

/// Where this runs: processors, memory, kernel, and what else loads it now.
boost::json::object describe_machine();

/// The average number of runnable threads over the last minute.
double load_average();

/// What the disk below `folder` takes for a write of `bytes` and its fdatasync:
/// no commit can take less. Milliseconds.
boost::json::object measure_sync(const std::filesystem::path& folder, size_t bytes, int writes);

/// A process's resident memory; 0 when it is gone.
uint64_t resident_bytes(pid_t process);

} // namespace novacron::bench
