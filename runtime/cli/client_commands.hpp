#pragma once

#include "runtime/cli/client_session.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `vm`, `host`, `node`, `migration`, `operation`, `task`, `events`, `actors`
/// and `chaos` to `app`, and the
/// options --url, --token-file and --output that they share.
///
/// Parsing sets `chosen` when one of them was asked for: call it then, once; it
/// returns the exit status (0 done, 1 refused or failed, 2 nothing could be
/// asked). `chosen` must outlive the parsing.
void add_client_commands(CLI::App& app, std::function<int()>& chosen, terminal where);

} // namespace novacron
