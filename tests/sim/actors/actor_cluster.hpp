#pragma once

#include "cluster.hpp"
#include "controller_process.hpp"
#include "page_plane.hpp"

#include <map>
#include <memory>
#include <vector>

namespace novacron::sim {

/// A cluster whose processes run the real actors: layer 2.
class actor_cluster final : public cluster {
public:
  actor_cluster(world& all, const fleet_settings& how, network_faults faults, identities& who);
  ~actor_cluster() override;

  void add(replica_node& replica) override;
  void start(replica_node& replica) override;
  void crash(replica_node& replica) override;
  bool propose(replica_node& at, command_batch what, replica_node::proposal_callback done) override;
  bool step(uint64_t until) override { return actors_.step(until); }
  void begin() override;
  void mend() override;
  [[nodiscard]] std::string unfinished(const cluster_state& state) override;

private:
  std::unique_ptr<any_host> make_host(uint64_t number) override;
  std::unique_ptr<api_line> make_line(uint64_t number) override;
  void kill_in_services();
  /// Whether every API has taken a write since the faults.
  [[nodiscard]] std::string unwritable();

  actor_world actors_;
  page_plane pages_;
  node_clock gateway_clock_;
  std::map<uint64_t, std::unique_ptr<controller_process>> processes_; ///< by number
  std::unique_ptr<gateway_process> gateway_;
  std::vector<node_process*> doors_; ///< that callers come through
  std::set<uint64_t> written_;       ///< nodes that took a write since the faults ended
  std::set<uint64_t> writing_;
};

} // namespace novacron::sim
