#pragma once

#include "actors/gateway/join_desk.hpp"
#include "actors/peer/node_roster.hpp"
#include "runtime/config/node_config.hpp"

#include <memory>

namespace novacron {

/// Which controllers a node that joins at `asking` is told of: those that founded
/// the cluster and are there, as the others are dialled by a rule of their own;
/// all but itself, if no founder is left.
std::vector<std::string> controllers_for(const std::vector<address>& founders,
                                         const std::vector<known_controller>& known,
                                         const std::string& asking);

/// Where this gateway serves nodes that join. It signs only if its file names the
/// CA's key, `gateway.authority_key`; the key is read for each certificate and
/// not kept. Fails when a file can't be read.
result<join_desk> make_join_desk(const node_config& config,
                                 std::shared_ptr<const node_roster> roster);

} // namespace novacron
