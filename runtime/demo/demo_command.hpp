#pragma once

#include <filesystem>
#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `demo` to `app`. Parsing sets `chosen` when it was asked for: call it
/// then; it returns the exit status. `program` is this executable.
void add_demo_command(CLI::App& app, const std::filesystem::path& program,
                      std::function<int()>& chosen);

} // namespace novacron
