#pragma once

#include "actors/peer/identity.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"

namespace novacron {

// What a node may ask of another, by the roles in its certificate. Pure.

/// Hosts speak for themselves alone and may decide migrations; gateways pass on
/// what their users ask, controllers what any of them asked there, which they
/// have checked. Nobody but the leader's replica ends leases, and takes nodes
/// out for good.
bool may_propose(const node_identity& who, const command& what);

/// Any node may read the state.
bool may_replicate(const node_identity& who);
bool may_kill(const node_identity& who);
/// See which actors a node has.
bool may_look(const node_identity& who);
bool may_migrate(const node_identity& who);

} // namespace novacron
