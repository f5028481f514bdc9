#include "fleet.hpp"

namespace novacron::sim {

std::array<std::byte, 32> fleet::fresh_body() {
  std::array<std::byte, 32> digest{};
  auto number = ++ids;
  for (auto& each : digest) {
    each = static_cast<std::byte>(number & 0xff);
    number >>= 8;
  }
  return digest;
}

void fleet::note_leases(const applied_batch& done) {
  for (const auto& each : done.changes) {
    auto host = std::get_if<host_record>(&each.record);
    if (!host)
      continue;
    if (host->is_awaited())
      continue;                                   // it may be cut off or well: nobody knows
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

void fleet::log_lost_after(uint64_t held) {
  guests.log_lost(past.log_lost_after(held));
}

void fleet::replayed(uint64_t index, const machine_image::applied& done) {
  past.applies(index, done.batch, done.result);
}

void fleet::recovered(uint64_t index, const cluster_state& state) {
  past.recovered_as(index, state);
  std::erase_if(vms, [&](vm_id vm) { return !state.find(vm); });
}

} // namespace novacron::sim
