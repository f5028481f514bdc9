#pragma once

#include "cluster.hpp"
#include "controller.hpp"

namespace novacron::sim {

/// A cluster of pure states, without actors.
class modelled_cluster final : public cluster {
public:
  modelled_cluster(world& all, const fleet_settings& how);
  ~modelled_cluster() override;

  void add(replica_node& replica, bool founds) override;

private:
  std::unique_ptr<any_host> make_host(uint64_t number) override;
  std::unique_ptr<api_line> make_line(uint64_t number) override;

  std::vector<std::unique_ptr<controller>> processes_;
};

} // namespace novacron::sim
