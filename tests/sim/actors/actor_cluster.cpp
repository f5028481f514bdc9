#include "actor_cluster.hpp"

#include "actor_line.hpp"
#include "host_process.hpp"
#include "runtime/certificates/join_signing.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

constexpr uint64_t gateway_number = 10'500;
constexpr uint64_t kill_every_ms = 1'500; ///< an actor of the services, where nothing else is said
constexpr uint64_t patience_ms = 4'000;

bool is_removed(const cluster_state& state, uint64_t number) {
  const auto* node = state.find_node(fleet::node_of(number));
  return node && node->wish == member_wish::removed;
}

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

void actor_cluster::add(replica_node& replica, bool founds) {
  const auto door = actor_world::door_of(replica.number());
  std::vector<address> told;
  if (founds)
    actors_.controllers.push_back(door);
  else
    told = told_to(door);
  auto& made = processes_[replica.number()];
  made = std::make_unique<controller_process>(actors_, replica, std::move(told));
  controllers_.emplace_back(replica.number(), &made->clock);
  doors_.push_back(made.get());
}

/// What the gateway tells one who joins.
std::vector<address> actor_cluster::told_to(const address& door) const {
  std::vector<address> told;
  const auto known = gateway_ ? gateway_->roster().controllers() : std::vector<known_controller>{};
  for (const auto& each : controllers_for(actors_.controllers, known, to_string(door)))
    told.push_back(*parse_address(each));
  return told;
}

void actor_cluster::start(replica_node& replica) {
  processes_.at(replica.number())->start();
}

void actor_cluster::crash(replica_node& replica) {
  processes_.at(replica.number())->crash();
}

void actor_cluster::recovered(replica_node& replica, uint64_t index) {
  processes_.at(replica.number())->recovered(index);
}

bool actor_cluster::knows(const replica_node& replica) const {
  const auto known = gateway_->roster().controllers();
  return std::ranges::find(known, fleet::node_of(replica.number()), &known_controller::node)
         != known.end();
}

void actor_cluster::put_away(replica_node& replica) {
  auto* process = processes_.at(replica.number()).get();
  process->crash();
  std::erase(doors_, process);
}

bool actor_cluster::change_members(uint64_t voters) {
  operator_.wish_something(voters);
  return true;
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

std::string actor_cluster::unwritable(const cluster_state& state) {
  std::string which;
  for (auto* each : doors_) {
    const auto number = each->number();
    if (written_.contains(number) || is_removed(state, number))
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
  if (auto which = unwritable(state); !which.empty())
    return which;
  if (fleet_.settings.hosts > 0)
    if (auto what = cluster::unfinished(state); !what.empty())
      return what;
  for (auto& [number, each] : processes_)
    if (!is_removed(state, number) && is_there(*each))
      if (auto wrong = each->up() ? each->wrong_view(state) : "node is down"; !wrong.empty())
        return wrong;
  return {};
}

bool actor_cluster::is_there(const node_process& which) const {
  return std::ranges::find(doors_, &which) != doors_.end();
}

namespace {

/// Why this isn't as it was wished; empty: it is.
std::string wrong_with(const node_record& node, const membership& members) {
  const auto* member = find_member(members, fleet::number_of(node.id));
  const bool votes = member && member->role == member_role::voter;
  const bool alone = votes && count_voters(members) == 1; // and can't leave
  bool good = false;
  switch (node.wish) {
  case member_wish::unsaid:
    good = member;
    break;
  case member_wish::standby:
    good = member && (!votes || alone);
    break;
  case member_wish::voter:
    good = votes && node.replaces.nil();
    break;
  case member_wish::leaving:
    good = alone;
    break;
  case member_wish::removed:
    good = !member;
    break;
  }
  return good ? std::string{}
              : node.name + " is wished to be " + to_string(node.wish)
                    + (node.replaces.nil() ? "" : " instead of another one") + ", and it "
                    + (votes    ? "votes"
                       : member ? "stands by"
                                : "is no member");
}

} // namespace

std::string actor_cluster::unsettled(const cluster_state& state, const membership& members) {
  for (auto* each : doors_) {
    const auto number = each->number();
    const auto* record = state.find_node(fleet::node_of(number));
    if (!record)
      return "node " + std::to_string(number) + " is not registered";
    if (each != gateway_.get())
      if (auto wrong = wrong_with(*record, members); !wrong.empty())
        return wrong;
    if (record->wish == member_wish::removed)
      continue;
    for (const auto& [other, process] : processes_)
      if (is_removed(state, other)
          && (!each->roster().removed(fleet::node_of(other)) || !each->parts()
              || each->parts()->links->find(fleet::node_of(other))))
        return "node " + std::to_string(number) + " still speaks to node " + std::to_string(other)
               + ", which was removed";
  }
  return believed(state);
}

std::string actor_cluster::believed(const cluster_state& state) {
  std::string which;
  for (auto& [number, each] : processes_) {
    if (!is_removed(state, number) || !each->up() || refused_.contains(number))
      continue;
    which = "node " + std::to_string(number) + ", which was removed, has not been refused yet";
    if (!writing_.insert(number).second)
      continue;
    propose_at(actors_, *each, {{command{barrier{}, {}}}}, patience_ms,
               [this, number = number](const std::optional<outcomes>& answer) {
                 writing_.erase(number);
                 refused_.insert(number);
                 if (answer && answer->each.size() == 1 && answer->each.front().ok())
                   static_cast<void>(all_.check.broken("node " + std::to_string(number)
                                                       + " was removed, and still writes"));
               });
  }
  return which;
}

} // namespace novacron::sim
