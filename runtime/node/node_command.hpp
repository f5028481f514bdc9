#pragma once

#include "runtime/config/node_config.hpp"

#include <filesystem>

namespace novacron {

/// `novacron node`: checks everything that can be checked before a node starts,
/// then runs it until it is stopped. A problem is one line on standard error
/// and status 2. Ends the process.
[[noreturn]] void node_command(const std::filesystem::path& file, const config_overrides& overrides,
                               const std::filesystem::path& program);

} // namespace novacron
