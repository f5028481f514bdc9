#pragma once

#include "actors/peer/link.hpp"
#include "novacron_cluster.hpp"
#include "novacron_load.hpp"

#include <caf/all.hpp>
#include <map>
#include <optional>

namespace novacron::bench {

/// A node of the mesh without a door, which proposes over links as hosts and
/// gateways do: an actor system of its own, mutual TLS, BASP.
class novacron_client : public system_under_test {
public:
  /// Waits until somebody leads, and registers the host that all VMs are placed on.
  explicit novacron_client(novacron_cluster& cluster);
  ~novacron_client() override;
  novacron_client(const novacron_client&) = delete;
  novacron_client& operator=(const novacron_client&) = delete;

  load_result load(const load_plan& plan) override;
  std::chrono::duration<double, std::milli> kill_leader() override;

  /// How node's replica sees the group; nothing: no answer.
  std::optional<group_status> status(int node);
  /// Lets go of the link to a node that was killed: it would try ever more slowly.
  void forget(int node);
  /// Waits until somebody leads; its number.
  int leader();
  /// Waits until all voters answer the leader, and have what it has.
  void await_all();
  /// Creates so many VMs.
  void create(size_t count, size_t value_bytes);
  /// Writes so many entries that hold nothing.
  void write_entries(size_t count);
  /// From now until a new connection to `node` has brought a commit.
  std::chrono::duration<double, std::milli> until_first_commit(int node);

private:
  struct mesh_system : caf::actor_system_config {
    explicit mesh_system(const mesh_config& mesh);
  };

  [[nodiscard]] link_config link_to(int node) const;
  link_actor& kept_link(int node);
  vm_source source(size_t value_bytes);
  bool try_propose(const link_actor& link, const command_body& what);
  void insist(const command_body& what);

  novacron_cluster& cluster_;
  mesh_system config_;
  caf::actor_system system_;
  std::shared_ptr<mesh_identity> identity_;
  std::map<int, link_actor> links_;
  uint64_t runs_ = 0;
};

} // namespace novacron::bench
