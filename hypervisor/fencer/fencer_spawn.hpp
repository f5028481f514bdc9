#pragma once

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/pid_handle.hpp"

namespace novacron {

/// Starts a fencer that outlives us: adopted by init (or by our subreaper), in a
/// session of its own, without our descriptors, its output in
/// <state>/fencer.log. Returns as soon as it is forked. Safe in a process with threads.
result<pid_handle> spawn_fencer(const fencer_config& config, const std::filesystem::path& program);

/// What it said last.
std::string last_fencer_line(const std::filesystem::path& state);

} // namespace novacron
