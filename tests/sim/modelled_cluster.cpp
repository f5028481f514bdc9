#include "modelled_cluster.hpp"

#include "controller_line.hpp"
#include "host_agent.hpp"

namespace novacron::sim {

modelled_cluster::modelled_cluster(world& all, const fleet_settings& how) : cluster{all, how} {
  make_hosts();
}

modelled_cluster::~modelled_cluster() = default;

void modelled_cluster::add(replica_node& replica, bool) {
  processes_.push_back(std::make_unique<controller>(fleet_, replica));
  controllers_.emplace_back(replica.number(), &processes_.back()->clock);
  fleet_.controllers.emplace(replica.number(), processes_.back().get());
  replica.own(processes_.back().get());
}

std::unique_ptr<any_host> modelled_cluster::make_host(uint64_t number) {
  auto host = std::make_unique<host_node>(fleet_, number);
  fleet_.hosts.emplace(number, host.get());
  return host;
}

std::unique_ptr<api_line> modelled_cluster::make_line(uint64_t number) {
  return std::make_unique<controller_line>(fleet_, number,
                                           [](const std::function<void()>& call) { call(); });
}

} // namespace novacron::sim
