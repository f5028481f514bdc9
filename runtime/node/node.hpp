#pragma once

#include "actors/log/log.hpp"
#include "runtime/certificates/certificate_end.hpp"
#include "runtime/config/node_config.hpp"
#include "runtime/node/stop_signal.hpp"

#include <filesystem>

namespace novacron {

/// What a node starts with. Everything in it was checked: `config.id` and
/// `config.cluster` are set, the certificate is good and `config.tls` leads to copies
/// of it (`pinned_files`), the state folder is locked, and the addresses were free a
/// moment ago.
struct node_start {
  node_config config;
  std::filesystem::path program; ///< this executable: what `fencer_client::attach` runs
  logger log;
  std::vector<certificate_end> ends; ///< of the certificates that it stands on
};

/// Starts the node's actors by its roles, waits for `stop`, then calls
/// `exit_after(config.timing.stop, 1)` and ends the actors in order.
/// Returns the exit status: 0 after a stop, 2 when something could not be
/// started (with one clear line on standard error), 1 when the node gave up.
/// The caller ends the process with `_exit`, whatever still runs.
int run_node(const node_start& start, stop_signal& stop);

} // namespace novacron
