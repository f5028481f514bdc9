#pragma once

#include "runtime/config/node_config.hpp"

#include <filesystem>
#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `node` to `app`. Parsing sets `chosen` when it was asked for: call it
/// then; it ends the process. `program` is this executable.
void add_node_command(CLI::App& app, const std::filesystem::path& program,
                      std::function<int()>& chosen);

/// Checks everything that can be checked before a node starts,
/// then runs it until it is stopped. A problem is one line on standard error
/// and status 2. Ends the process.
[[noreturn]] void start_node(const std::filesystem::path& file, const config_overrides& overrides,
                             const std::filesystem::path& program);

} // namespace novacron
