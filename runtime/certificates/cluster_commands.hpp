#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `cluster init`, `cluster add-node`, `cluster renew` and `cluster renew-ca` to `app`.
/// Parsing sets `chosen` when one of them was asked for: call it then; it returns the exit status.
void add_cluster_commands(CLI::App& app, std::function<int()>& chosen);

} // namespace novacron
