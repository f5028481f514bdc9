#pragma once

#include "actors/peer/mesh_config.hpp"
#include "messages/address.hpp"
#include "servers.hpp"

#include <filesystem>
#include <vector>

namespace novacron::bench {

/// One or three controllers as processes of the novacron executable, each with
/// its own folder on the same disk, and certificates for a client beside them.
class novacron_cluster {
public:
  /// Makes the cluster's files in `folder`, and starts the controllers.
  novacron_cluster(std::filesystem::path folder, int voters);

  [[nodiscard]] servers& processes() { return servers_; }
  [[nodiscard]] int voters() const { return voters_; }
  [[nodiscard]] address door_of(int node) const;
  /// 0: none of them.
  [[nodiscard]] int number_of(node_id node) const;

  /// The client's certificate, which has the roles gateway and host.
  [[nodiscard]] const mesh_config& client_mesh() const { return client_mesh_; }
  [[nodiscard]] node_id client_id() const { return client_id_; }

private:
  [[nodiscard]] child_command command_of(int node) const;
  void write_config(int node) const;

  std::filesystem::path folder_;
  int voters_;
  uint16_t port_;
  std::vector<node_id> ids_;
  mesh_config client_mesh_;
  node_id client_id_;
  servers servers_;
};

} // namespace novacron::bench
