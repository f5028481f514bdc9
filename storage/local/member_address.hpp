#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// Whose disk a member's log is on.
///
/// The problem: a voter whose disk was emptied has forgotten its votes and what
/// it acknowledged; if it took part as before, the group could lose committed
/// entries. So every database has a random number of its own, the *disk*; the
/// membership, which is in the log, names it; and messages to or from another
/// disk than that are refused. Founders become members before anybody knows
/// their disks; the leader adds these to the membership as it hears of them.
struct member_address {
  node_id node;
  uint64_t disk = 0; ///< 0: a founder's, not known yet

  friend bool operator==(const member_address&, const member_address&) = default;
};

/// "<uuid>" or "<uuid>@<disk, hexadecimal>".
std::string to_string(const member_address& address);
std::optional<member_address> parse_member_address(std::string_view text);

/// The id of a founder of the group: all of them know it from the start.
uint64_t founder_id(node_id node);
/// The id of a member that joined later: another disk is another member.
uint64_t joined_id(node_id node, uint64_t disk);

} // namespace novacron
