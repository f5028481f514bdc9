#pragma once

#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// A node that a cluster is made with.
struct planned_node {
  std::string name; ///< letters, digits and '-', at most 63; names its files
  std::vector<node_role> roles;
  std::vector<std::string> addresses; ///< IP addresses besides 127.0.0.1
  friend bool operator==(const planned_node&, const planned_node&) = default;
};

/// Reads "name=node-1,roles=controller+gateway+host,address=10.0.0.1"; the last
/// key may be left out or repeated.
result<planned_node> parse_planned_node(std::string_view text);

/// The three nodes of cluster-configs/dev.
std::vector<planned_node> development_nodes();

/// Makes what a cluster needs before its first node starts, in `folder`, which
/// must be empty or absent. All files can be read by their owner only:
///
///     ca.pem, ca.key          the cluster's CA; only `cluster add-node` needs the key
///     <node>.pem, <node>.key  one pair for each node
///     cluster-id              the cluster's uuid
///     founders                uuids and names of the controllers: the first voters
///     admin-token             the API's first token
///     tokens                  SHA-256 of each token and its owner's name: what gateways read
result<void> init_cluster(const std::filesystem::path& folder,
                          const std::vector<planned_node>& nodes);

/// Issues one more node's pair with the CA in `folder`.
result<void> add_cluster_node(const std::filesystem::path& folder, const planned_node& node);

} // namespace novacron
