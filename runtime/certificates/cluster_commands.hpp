#pragma once

#include <CLI/App.hpp>

namespace novacron {

/// `novacron cluster init` and `novacron cluster add-node`. `status` becomes the
/// process's exit status; `app` and it must live until the line was parsed.
void add_cluster_commands(CLI::App& app, int& status);

} // namespace novacron
