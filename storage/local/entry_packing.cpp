#include "storage/local/entry_packing.hpp"

namespace novacron {

namespace {

// Words of the Cap'n Proto structs, pointers included, rounded up.
constexpr size_t command_bytes = 160;
constexpr size_t observation_bytes = 96;
constexpr size_t migration_observation_bytes = 128;
constexpr size_t text_bytes = 8;
constexpr size_t label_bytes = 32;

size_t size_of(const create_vm& x) {
  auto size = 160 + x.name.size() + x.spec.image.size() + x.spec.kernel_arguments.size();
  for (const auto& [key, value] : x.spec.labels)
    size += label_bytes + key.size() + value.size();
  return size;
}

size_t size_of(const decide_migration& x) {
  return 64 + x.reason.size();
}

size_t size_of(const host_report& x) {
  auto size = 64 + x.migrations.size() * migration_observation_bytes;
  for (const auto& each : x.vms)
    size += observation_bytes + each.reason.size();
  return size;
}

size_t size_of(const register_host& x) {
  const auto& host = x.host;
  auto size = 256 + host.name.size() + host.mesh_address.size() + host.page_address.size()
              + host.hypervisor.size() + host.accelerator.size()
              + host.live_migration_problem.size();
  for (const auto& each : host.images)
    size += 2 * text_bytes + each.size();
  return size;
}

template <class Body>
size_t size_of(const Body&) {
  return 128;
}

} // namespace

size_t approximate_size(std::span<const command> commands) {
  size_t size = 64;
  for (const auto& each : commands)
    size += command_bytes + each.idempotency.principal.size() + each.idempotency.key.size()
            + std::visit([](const auto& body) { return size_of(body); }, each.body);
  return size;
}

std::vector<size_t> pack(std::span<const proposal_extent> proposals) {
  std::vector<size_t> entries;
  proposal_extent entry;
  for (const auto& each : proposals) {
    if (entries.empty() || entry.bytes + each.bytes > full_entry_bytes
        || entry.commands + each.commands > full_entry_commands) {
      entries.push_back(0);
      entry = {};
    }
    ++entries.back();
    entry.bytes += each.bytes;
    entry.commands += each.commands;
  }
  return entries;
}

} // namespace novacron
