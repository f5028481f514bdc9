#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace novacron {

/// How a replica with an empty folder begins.
struct founding {
  std::vector<node_id> founders; ///< the first voters; empty: this node alone
  bool join = false;             ///< it waits until a leader adds it

  friend bool operator==(const founding&, const founding&) = default;
};

/// What is known of a replica's folder before it is opened.
struct replica_past {
  bool begun = false; ///< a replica of this node has been opened before, perhaps on another disk
  bool empty = true;  ///< the folder holds none

  friend bool operator==(const replica_past&, const replica_past&) = default;
};

/// The problem: a voter has promised things to the others, and its disk is where
/// they stand. If that is emptied, a fresh replica must not vote as if it were
/// the old one. So only a node that never begun founds; one that has, and finds
/// its folder empty, joins as a new member, and where nobody else has the state it
/// refuses to start rather than to begin again with nothing. Pure.
result<founding> decide_founding(node_id self, const std::vector<node_id>& founders,
                                 const replica_past& past);

/// Reads what `cluster init` wrote: a uuid a line, then a blank and a name.
result<std::vector<node_id>> parse_founders(std::string_view text);
result<std::vector<node_id>> read_founders(const std::filesystem::path& file);

/// The replica's folder below a node's folder.
std::filesystem::path replica_folder(const std::filesystem::path& state);
replica_past past_of(const std::filesystem::path& state);
/// Once a replica was opened. It stands beside the replica's folder, not in it.
result<void> remember_beginning(const std::filesystem::path& state);

} // namespace novacron
