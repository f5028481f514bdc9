#include "storage/state/host_load.hpp"

namespace novacron {

namespace {

void count_out(std::map<std::string, uint32_t>& counts, const std::string& group) {
  auto at = counts.find(group);
  if (at != counts.end() && --at->second == 0)
    counts.erase(at);
}

} // namespace

void host_load::add(const vm_spec& spec) {
  memory_mib += spec.memory_mib;
  vcpus += spec.vcpus;
  for (const auto& group : spec.placement.groups)
    ++groups[group];
  for (const auto& group : spec.placement.required_anti_affinity)
    ++refused[group];
}

void host_load::remove(const vm_spec& spec) {
  memory_mib -= spec.memory_mib;
  vcpus -= spec.vcpus;
  for (const auto& group : spec.placement.groups)
    count_out(groups, group);
  for (const auto& group : spec.placement.required_anti_affinity)
    count_out(refused, group);
}

void host_load::add(const host_load& more) {
  memory_mib += more.memory_mib;
  vcpus += more.vcpus;
  for (const auto& [group, n] : more.groups)
    groups[group] += n;
  for (const auto& [group, n] : more.refused)
    refused[group] += n;
}

uint64_t memory_capacity_mib(const host_record& host) {
  return host.memory_mib * host.memory_overcommit_percent / 100;
}

uint64_t vcpu_capacity(const host_record& host) {
  return uint64_t{host.vcpus} * host.vcpu_overcommit_percent / 100;
}

node_id holds_room_on(const migration_record& migration) {
  switch (migration.phase) {
  case migration_phase::queued: // a further try's room is taken by the last one, or by nobody
    return migration.attempt > 1 ? node_id{} : migration.to;
  case migration_phase::reserved:
    return migration.to;
  case migration_phase::aborted:
  case migration_phase::returned:
    return migration.destination_clean ? node_id{} : migration.to;
  case migration_phase::committed:
    return migration.from;
  case migration_phase::finished:
    return migration.source_clean ? node_id{} : migration.from;
  case migration_phase::done:
  case migration_phase::rolled_back:
    break;
  }
  return {};
}

} // namespace novacron
