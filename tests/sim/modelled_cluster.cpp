#include "modelled_cluster.hpp"

#include "controller_line.hpp"
#include "gateway_line.hpp"
#include "host_agent.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t first_gateway = 25'000; ///< a number in the network

} // namespace

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

void modelled_cluster::recovered(replica_node& replica, uint64_t index) {
  fleet_.controllers.at(replica.number())->restored(index);
}

std::unique_ptr<any_host> modelled_cluster::make_host(uint64_t number) {
  auto host = std::make_unique<host_node>(fleet_, number);
  fleet_.hosts.emplace(number, host.get());
  return host;
}

std::unique_ptr<api_line> modelled_cluster::make_line(uint64_t number) {
  if (!gateways_.empty() && number % 2 == 0)
    return std::make_unique<gateway_line>(fleet_, number, gateways_);
  return std::make_unique<controller_line>(fleet_, number,
                                           [](const std::function<void()>& call) { call(); });
}

// -- gateways ------------------------------------------------------------------------

void modelled_cluster::begin() {
  const auto& how = fleet_.settings;
  for (uint64_t i = 1; i <= how.gateways; ++i) {
    gateways_.push_back(std::make_unique<gateway_node>(fleet_, first_gateway + i));
    gateways_.back()->start();
  }
  cluster::begin();
  every(how.gateway_crash_every_ms, [this] { crash_gateway(); });
  every(how.gateways == 0 ? 0 : how.cut_every_ms, [this] { cut_off(some_gateway().number()); });
}

gateway_node& modelled_cluster::some_gateway() {
  return *gateways_[all_.luck.below(gateways_.size())];
}

void modelled_cluster::crash_gateway() {
  auto& one = some_gateway();
  one.crash();
  all_.time.after(all_.luck.between(50, fleet_.settings.gateway_down_max_ms),
                  [&one] { one.start(); });
}

void modelled_cluster::mend() {
  cluster::mend();
  for (auto& each : gateways_)
    each->start();
}

std::string modelled_cluster::unfinished(const cluster_state& state) {
  if (auto what = cluster::unfinished(state); !what.empty())
    return what;
  for (const auto& each : gateways_)
    if (auto wrong = each->wrong_view(state); !wrong.empty())
      return wrong;
  return {};
}

} // namespace novacron::sim
