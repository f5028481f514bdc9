#include "fleet.hpp"

namespace novacron::sim {

void fleet::note_leases(const applied_batch& done) {
  for (const auto& each : done.changes) {
    auto host = std::get_if<host_record>(&each.record);
    if (!host)
      continue;
    if (host->state != host_state::unreachable) { // no operator calls one fenced here
      if (guests.lease_renewed(host->id))
        all.seen.hit(probe::host_came_back);
      continue;
    }
    all.seen.hit(probe::lease_expired);
    guests.lease_ended(host->id);
  }
}

void fleet::note_removals(const applied_batch& done) const {
  for (const auto& each : done.changes)
    if (auto node = std::get_if<node_record>(&each.record);
        node && node->wish == member_wish::removed && when_removed)
      when_removed(number_of(node->id));
}

} // namespace novacron::sim
