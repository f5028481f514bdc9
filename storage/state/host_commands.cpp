// A host says who it is; its lease is renewed and ends.

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

batch_applier::outcome batch_applier::unknown_host(node_id host) {
  return refuse(command_errc::unknown_host,
                "there is no host " + to_string(host) + "; register it first");
}

batch_applier::outcome batch_applier::other_boot(const host_record& host, boot_id said) {
  return refuse(command_errc::stale_lease, "host " + host.name + " is at boot "
                                               + to_string(host.boot) + ", not " + to_string(said));
}

batch_applier::outcome batch_applier::apply(const register_host& command) {
  const auto& said = command.host;
  if (said.id.nil())
    return refuse(command_errc::unknown_host, "a host cannot register without an id");
  if (auto node = state_.find_node(said.id); node && node->wish == member_wish::removed)
    return refuse(command_errc::node_removed, removed_for_ever(*node));
  auto known = state_.find(said.id);
  auto host = said;
  if (!knows_queue()) { // which programs of before don't keep
    host.migrations_at_once = host_record{}.migrations_at_once;
    host.migrations_between_sites = host_record{}.migrations_between_sites;
  }
  if (batch_.cluster_version < networks_since)
    host.networks.clear();
  host.awaited = known && known->awaited && knows_inventories();
  host.maintenance = known ? known->maintenance : host_state::up;
  host.drain = known ? known->drain : task_id{};
  host.state = host.maintenance;
  host.lost_lease = known ? known->lost_lease : 0;
  if (!known) {
    add(std::move(host));
    return {};
  }
  const bool stays_lost = host_lost(host.id);                           // until a lease is granted
  const bool new_boot = host.boot != known->boot && !known->boot.nil(); // nil: recovered
  const bool awaits = hosts_are_awaited();
  if (stays_lost)
    host.state = known->state;
  host.changed = known->changed;
  host.revision = known->revision;
  if (host != *known)
    edit(*known, [&](host_record& x) { x = host; });
  if (stays_lost && new_boot)
    end_guests_of_earlier_boots(*known);
  if (awaits)
    start_what_waited_for_hosts();
  return {};
}

batch_applier::outcome batch_applier::apply(const confirm_inventory& command) {
  auto host = state_.find(command.host);
  if (!host)
    return unknown_host(command.host);
  if (command.boot != host->boot)
    return other_boot(*host, command.boot);
  if (!host->awaited)
    return {};
  // What was on it may be placed elsewhere by a lease that had ended.
  if (host_lost(command.host))
    return refuse(command_errc::wrong_state, "host " + host->name + " is " + to_string(host->state)
                                                 + "; it has to renew its lease first");
  edit(*host, [](host_record& x) { x.awaited = false; });
  start_what_waited_for_hosts();
  return {};
}

batch_applier::outcome batch_applier::apply(const renew_lease& command) {
  auto host = state_.find(command.host);
  if (!host)
    return unknown_host(command.host);
  if (command.boot != host->boot)
    return other_boot(*host, command.boot);
  lease_record lease;
  if (auto known = state_.leases_.find(command.host); known != state_.leases_.end())
    lease = known->second;
  // Its fencer may still hold a deadline of an earlier, longer term.
  const bool goes_on = !lease.expired && lease.boot == command.boot;
  lease.term = goes_on && knows_lost_hosts() ? std::max(lease.term, command.term) : command.term;
  lease.host = command.host;
  lease.boot = command.boot;
  ++lease.renewal;
  lease.granted = state_.now_;
  lease.expired = false;
  add(lease);
  if (host_lost(command.host)) {
    edit(*host, [](host_record& x) {
      x.state = x.maintenance;
      x.lost_lease = 0;
    });
    start_where_they_were(command.host);
  } else if (host->state == host_state::unreachable) {
    edit(*host, [](host_record& x) { x.state = x.maintenance; });
  }
  outcome accepted;
  accepted.lease = lease;
  return accepted;
}

batch_applier::outcome batch_applier::apply(const expire_lease& command) {
  auto known = state_.leases_.find(command.host);
  if (known == state_.leases_.end() || known->second.renewal != command.renewal
      || known->second.expired)
    return refuse(command_errc::stale_lease, "the lease of host " + to_string(command.host)
                                                 + " has been renewed or has ended since");
  auto lease = known->second;
  lease.expired = true;
  add(lease);
  if (auto host = state_.find(command.host); host && host->state != host_state::unreachable) {
    edit(*host, [&](host_record& x) {
      x.state = host_state::unreachable;
      if (knows_lost_hosts())
        x.lost_lease = command.renewal;
    });
    if (knows_lost_hosts())
      lose_guests(*host);
  }
  outcome accepted;
  accepted.lease = lease;
  return accepted;
}

} // namespace novacron
