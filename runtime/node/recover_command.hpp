#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `cluster recover` beside `cluster init`. Parsing sets `chosen` when it was
/// asked for: call it then; it returns the exit status.
void add_recover_command(CLI::App& app, std::function<int()>& chosen);

} // namespace novacron
