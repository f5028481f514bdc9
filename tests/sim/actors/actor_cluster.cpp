#include "actor_cluster.hpp"

#include "actor_line.hpp"
#include "host_process.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t gateway_number = 10'500;
constexpr uint64_t kill_every_ms = 1'500; ///< an actor of the services, where nothing else is said
constexpr uint64_t patience_ms = 4'000;

/// Without hosts there is nothing to call for; the schedule proposes instead.
fleet_settings with_clients_for_hosts(fleet_settings how) {
  if (how.hosts == 0)
    how.clients = 0;
  return how;
}

} // namespace

actor_cluster::actor_cluster(world& all, const fleet_settings& how, network_faults faults,
                             identities& who)
    : cluster{all, with_clients_for_hosts(how)}, actors_{fleet_, faults, who},
      pages_{fleet_, actors_.hosts}, gateway_clock_{all.time} {
  make_hosts();
}

actor_cluster::~actor_cluster() {
  hosts_.clear(); // before what they stand on
}

void actor_cluster::add(replica_node& replica) {
  auto& made = processes_[replica.number()];
  made = std::make_unique<controller_process>(actors_, replica);
  controllers_.emplace_back(replica.number(), &made->clock);
  actors_.controllers.push_back(actor_world::door_of(replica.number()));
  doors_.push_back(made.get());
}

void actor_cluster::start(replica_node& replica) {
  processes_.at(replica.number())->start();
}

void actor_cluster::crash(replica_node& replica) {
  processes_.at(replica.number())->crash();
}

void actor_cluster::begin() {
  gateway_ = std::make_unique<gateway_process>(actors_, gateway_number, gateway_clock_);
  doors_.push_back(gateway_.get());
  gateway_->start();
  cluster::begin();
  const auto rate = fleet_.settings.actor_kill_every_ms;
  every(rate == 0 ? kill_every_ms : rate, [this] { kill_in_services(); });
}

void actor_cluster::kill_in_services() {
  doors_[all_.luck.below(doors_.size())]->kill_some_actor();
}

void actor_cluster::mend() {
  cluster::mend();
  actors_.over.heal();
}

bool actor_cluster::propose(replica_node& at, command_batch what,
                            replica_node::proposal_callback done) {
  propose_at(actors_, *processes_.at(at.number()), {std::move(what.commands)}, patience_ms,
             [told = std::move(done)](const std::optional<outcomes>& answer) {
               uint64_t index = 0;
               if (answer)
                 for (const auto& each : answer->each)
                   index = std::max(index, each.repeated ? 0 : each.revision);
               told(index == 0 ? std::nullopt : std::optional{index});
             });
  return true;
}

std::unique_ptr<any_host> actor_cluster::make_host(uint64_t number) {
  auto made = std::make_unique<host_process>(actors_, pages_, number);
  actors_.hosts.emplace(number, made.get());
  return made;
}

std::unique_ptr<api_line> actor_cluster::make_line(uint64_t) {
  return std::make_unique<actor_line>(actors_, doors_);
}

// -- the end -------------------------------------------------------------------------

std::string actor_cluster::unwritable() {
  std::string which;
  for (auto* each : doors_) {
    const auto number = each->number();
    if (written_.contains(number))
      continue;
    which = "node " + std::to_string(number) + " takes no writes";
    if (writing_.contains(number))
      continue;
    writing_.insert(number);
    propose_at(actors_, *each, {{command{barrier{}, {}}}}, patience_ms,
               [this, number](const std::optional<outcomes>& answer) {
                 writing_.erase(number);
                 if (answer && answer->each.size() == 1 && answer->each.front().ok())
                   written_.insert(number);
               });
  }
  return which;
}

std::string actor_cluster::unfinished(const cluster_state& state) {
  if (auto which = unwritable(); !which.empty())
    return which;
  if (fleet_.settings.hosts > 0)
    if (auto what = cluster::unfinished(state); !what.empty())
      return what;
  for (auto& [number, each] : processes_)
    if (auto wrong = each->up() ? each->wrong_view(state, 0) : "node is down"; !wrong.empty())
      return wrong;
  return {};
}

} // namespace novacron::sim
