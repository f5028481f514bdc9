#pragma once

#include "actors/peer/join.hpp"
#include "messages/records.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace novacron {

/// What an operator says of a node that joins.
struct join_plan {
  std::string url = "http://127.0.0.1:7180"; ///< a gateway of the cluster's that signs
  std::string token;
  std::string name;
  std::filesystem::path folder; ///< where its files go; made if absent
  std::string mesh;             ///< "host:port" of its door
  std::string pages;            ///< of its DWCP door; empty: it isn't to be a host yet
  std::string gateway;          ///< of its API; empty: it isn't to be a gateway yet
};

/// What a joined node starts from, in TOML.
std::string joined_config(const join_plan& plan, const std::vector<node_role>& roles,
                          const std::vector<std::string>& controllers);

/// Draws a key and an id, asks the gateway, checks that it was the cluster that
/// the token names that answered, and writes into the folder
///
///     cluster/ca.pem, cluster/cluster-id
///     cluster/<name>.pem, cluster/<name>.key
///     <name>.toml              what the node starts from
///
/// The first two may be there already, of another node of this cluster. An answer that
/// was lost is asked for again, as is one of which not all files were written: the key
/// and the request are written before they are sent. Blocks. Fails with one line.
result<std::filesystem::path> join_cluster(const join_plan& plan);

} // namespace novacron
