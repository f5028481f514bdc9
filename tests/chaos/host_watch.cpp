#include "host_watch.hpp"

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/simulated/machine.hpp"

#include <algorithm>

namespace novacron::chaos {

result<std::set<std::string>> running_on(const lab& where, int node) {
  std::set<std::string> found;
  if (where.is_real(node)) {
    for (const auto& guest : find_guest_processes())
      if (where.ids().contains(guest.mark.host))
        found.insert(to_string(guest.mark.vm));
    return found;
  }
  const auto seen = look_at_machine(machine_of_node(where.state_of(node)));
  if (!seen)
    return seen.error();
  for (const auto& guest : seen->guests)
    if (guest.phase == guest_phase::running || guest.phase == guest_phase::stopping)
      found.insert(to_string(guest.vm));
  return found;
}

host_watch::host_watch(const lab& where, const ledger& book, int node)
    : lab_{where}, ledger_{book}, node_{node}, guests_{guests_there()} {
  // nop
}

std::set<std::string> host_watch::guests_there() const {
  auto running = running_on(lab_, node_);
  return running ? only_ha(std::move(*running)) : std::set<std::string>{};
}

void host_watch::look(bool off) {
  guest_sighting sight;
  for (const int node : lab::hosts) {
    if (node == node_)
      continue;
    if (auto running = running_on(lab_, node))
      sight.elsewhere.merge(*running);
  }
  auto there = running_on(lab_, node_);
  sight.seen = off || there.has_value();
  if (there)
    sight.there = only_ha(std::move(*there));
  sight.at = clock::now(); // later than it was seen, never earlier
  guests_.add(sight);
}

std::set<std::string> host_watch::only_ha(std::set<std::string> ids) const {
  const auto known = ledger_.vms();
  std::erase_if(ids, [&](const auto& id) {
    const auto found = known.find(id);
    return found == known.end() || !found->second.ha;
  });
  return ids;
}

displaced_guests::due_rule host_watch::due() const {
  return [known = ledger_.vms(), begin = begin_](const std::string& id) {
    const auto found = known.find(id);
    return found != known.end() && found->second.runs_since(begin);
  };
}

std::optional<host_watch::clock::time_point> host_watch::run_elsewhere() const {
  return guests_.run_elsewhere(due());
}

std::vector<std::string> host_watch::missing() const {
  return guests_.missing(due());
}

} // namespace novacron::chaos
