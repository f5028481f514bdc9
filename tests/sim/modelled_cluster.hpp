#pragma once

#include "cluster.hpp"
#include "controller.hpp"
#include "gateway_node.hpp"

namespace novacron::sim {

/// A cluster of pure states, without actors.
class modelled_cluster final : public cluster {
public:
  modelled_cluster(world& all, const fleet_settings& how);
  ~modelled_cluster() override;

  void add(replica_node& replica, bool founds) override;
  void recovered(replica_node& replica, uint64_t index) override;
  void begin() override;
  void mend() override;
  [[nodiscard]] std::string unfinished(const cluster_state& state) override;

private:
  std::unique_ptr<any_host> make_host(uint64_t number) override;
  std::unique_ptr<api_line> make_line(uint64_t number) override;

  gateway_node& some_gateway();
  void crash_gateway();

  std::vector<std::unique_ptr<controller>> processes_;
  std::vector<std::unique_ptr<gateway_node>> gateways_;
};

} // namespace novacron::sim
