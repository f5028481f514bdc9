#pragma once

#include "runtime/config/node_config.hpp"

#include <CLI/App.hpp>
#include <filesystem>

namespace novacron {

/// Adds `novacron node`. `program` is this executable.
void add_node_command(CLI::App& app, const std::filesystem::path& program);

/// Checks everything that can be checked before a node starts,
/// then runs it until it is stopped. A problem is one line on standard error
/// and status 2. Ends the process.
[[noreturn]] void start_node(const std::filesystem::path& file, const config_overrides& overrides,
                             const std::filesystem::path& program);

} // namespace novacron
