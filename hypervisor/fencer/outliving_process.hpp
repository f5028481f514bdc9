#pragma once

#include "hypervisor/fencer/pid_handle.hpp"
#include "messages/result.hpp"

namespace novacron {

/// Starts a process that outlives us: adopted by init (or by our subreaper), in a
/// session of its own, without our descriptors, its output appended to `log` (a
/// `bounded_log`). `arguments`: the program's absolute path first. Returns as soon
/// as it is forked. Safe in a process with threads. Fails with `refused`.
result<pid_handle> start_outliving(std::vector<std::string> arguments,
                                   const std::filesystem::path& log);

} // namespace novacron
