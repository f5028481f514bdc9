#include "storage/state/host_load.hpp"

#include <algorithm>

namespace novacron {

std::string why_no_room(const host_record& host, const host_load& load, const vm_spec& spec) {
  const auto memory = host.memory_mib - std::min(host.memory_mib, load.memory_mib);
  const auto name = "host " + host.name + ": needs ";
  if (spec.memory_mib > memory)
    return name + std::to_string(spec.memory_mib) + " MiB, " + std::to_string(memory)
           + " MiB free; choose another host, or stop and delete VMs there";
  const auto most = host.vcpus * vcpu_overcommit;
  const auto vcpus = most - std::min(most, load.vcpus);
  if (spec.vcpus > vcpus)
    return name + std::to_string(spec.vcpus) + " vcpus, " + std::to_string(vcpus)
           + " free; choose another host, or stop and delete VMs there";
  return {};
}

node_id holds_room_on(const migration_record& migration) {
  switch (migration.phase) {
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
