#pragma once

#include "messages/peer.hpp"

#include <functional>
#include <string>

namespace novacron {

using name_function = std::function<std::string(node_id)>;

/// Why the group, as its leader sees it, must not get `wish` for `node`: the
/// voters that would be left and answer would be no majority (names who would be
/// left, who of them is up, and how many are needed), or there would be more than
/// `most_voters`. Empty: it may. Pure.
///
/// The leader's replica judges again when it comes to it; this is the answer to
/// whoever asks.
std::string vote_objection(const group_status& status, node_id node, member_wish wish,
                           const name_function& name_of);

/// The members after it.
std::vector<group_member> members_after(std::vector<group_member> members, node_id node,
                                        member_wish wish);

} // namespace novacron
