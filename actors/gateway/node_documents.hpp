#pragma once

#include "messages/peer.hpp"
#include "messages/records.hpp"

#include <optional>
#include <string>
#include <vector>

namespace novacron {

/// A node as the API shows it: what the log says of it, what the replicas say,
/// and whether it is a host that is up.
struct shown_node {
  node_record record;
  std::optional<group_member> member; ///< its replica; nothing: it has none in the group
  std::optional<host_state> host;     ///< nothing: it is no host
  bool leads = false;
  std::optional<uint64_t> commit_index; ///< by which its lag is measured; nothing: nobody leads

  /// It is what operators wish.
  [[nodiscard]] bool settled() const;
};

/// All nodes: those of the log, and hosts that have never said more of themselves.
std::vector<shown_node> shown_nodes(const std::vector<node_record>& nodes,
                                    const std::vector<host_record>& hosts,
                                    const std::optional<group_status>& status);

std::string shown_node_json(const shown_node& node);

} // namespace novacron
