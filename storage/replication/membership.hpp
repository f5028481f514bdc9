#pragma once

#include "storage/replication/log_entry.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace novacron {

/// A group is of 1, 3 or 5 voters, and of one more while one of them is replaced. With more
/// each write waits for more disks, and little is gained by it.
inline constexpr size_t most_voters = 6;

enum class member_role : uint8_t {
  voter = 1, ///< counts for elections and commits
  standby,   ///< gets the log, and doesn't vote
};

/// A replica in its group.
struct raft_member {
  uint64_t id = 0;     ///< not 0; never used again for another disk
  std::string address; ///< unique in the group; the consensus core only carries it
  member_role role = member_role::voter;

  friend bool operator==(const raft_member&, const raft_member&) = default;
};

/// Who takes part, sorted by id. An entry of the log; valid from when it is
/// appended, committed or not.
using membership = std::vector<raft_member>;

/// Null if there is no such member.
const raft_member* find_member(const membership& in, uint64_t id);
size_t count_voters(const membership& in);
/// How many voters are a majority.
size_t quorum_of(const membership& in);

/// The membership's form in the log; sorted by id, whatever order is given.
log_entry::bytes encode_membership(const membership& members);
/// False: the bytes are none.
bool decode_membership(std::span<const std::byte> bytes, membership& into);

} // namespace novacron
