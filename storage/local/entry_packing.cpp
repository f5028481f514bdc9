#include "storage/local/entry_packing.hpp"

#include <map>
#include <string>
#include <variant>

namespace novacron {

namespace {

// Words of the Cap'n Proto structs, pointers included, rounded up.
constexpr size_t command_bytes = 160;
constexpr size_t body_bytes = 128;
constexpr size_t vm_bytes = 256;
constexpr size_t host_bytes = 320;
constexpr size_t node_bytes = 192;
constexpr size_t observation_bytes = 72;
constexpr size_t migration_observation_bytes = 88;
constexpr size_t page_work_bytes = 104;
constexpr size_t planned_move_bytes = 48;
constexpr size_t pointer_bytes = 8;

/// It ends with a zero, and at a word's end.
size_t size_of(const std::string& text) {
  return (text.size() / 8 + 1) * 8;
}

size_t size_of(const std::vector<std::string>& texts) {
  size_t size = 0;
  for (const auto& each : texts)
    size += pointer_bytes + size_of(each);
  return size;
}

size_t size_of(const std::map<std::string, std::string>& labels) {
  size_t size = 8;
  for (const auto& [key, value] : labels)
    size += 2 * pointer_bytes + size_of(key) + size_of(value);
  return size;
}

size_t size_of(const placement_rules& x) {
  return size_of(x.groups) + size_of(x.required_labels) + size_of(x.preferred_labels)
         + size_of(x.required_affinity) + size_of(x.preferred_affinity)
         + size_of(x.required_anti_affinity) + size_of(x.preferred_anti_affinity);
}

size_t size_of(const create_vm& x) {
  return vm_bytes + size_of(x.name) + size_of(x.spec.image) + size_of(x.spec.kernel_arguments)
         + size_of(x.spec.labels) + size_of(x.spec.placement) + size_of(x.spec.networks);
}

size_t size_of(const decide_migration& x) {
  return body_bytes + size_of(x.reason);
}

size_t size_of(const host_report& x) {
  auto size = body_bytes;
  for (const auto& each : x.migrations)
    size += approximate_size(each);
  for (const auto& each : x.vms)
    size += approximate_size(each);
  return size;
}

size_t size_of(const register_host& x) {
  const auto& host = x.host;
  return host_bytes + size_of(host.name) + size_of(host.mesh_address) + size_of(host.page_address)
         + size_of(host.hypervisor) + size_of(host.accelerator)
         + size_of(host.live_migration_problem) + size_of(host.images) + size_of(host.labels)
         + size_of(host.cpu_features) + size_of(host.networks);
}

size_t size_of(const replace_vm& x) {
  return body_bytes + size_of(x.problem);
}

size_t size_of(const start_rebalance& x) {
  return body_bytes + x.moves.size() * planned_move_bytes;
}

size_t size_of(const note_move& x) {
  return body_bytes + size_of(x.reason);
}

size_t size_of(const node_record& x) {
  return node_bytes + size_of(x.name) + size_of(x.mesh_address) + x.roles.size();
}

size_t size_of(const register_node& x) {
  return size_of(x.node);
}

size_t size_of(const use_join_token& x) {
  return size_of(x.node);
}

size_t size_of(const make_join_token& x) {
  return body_bytes + x.roles.size();
}

template <class Body>
size_t size_of(const Body&) {
  static_assert(sizeof(Body) <= body_bytes); // without texts and lists
  return body_bytes;
}

} // namespace

size_t approximate_size(const vm_observation& x) {
  return observation_bytes + size_of(x.reason);
}

size_t approximate_size(const migration_observation& x) {
  return migration_observation_bytes + (x.cost.work == page_work{} ? 0 : page_work_bytes);
}

size_t approximate_size(std::span<const command> commands) {
  size_t size = 64;
  for (const auto& each : commands)
    size += command_bytes + size_of(each.idempotency.principal) + size_of(each.idempotency.key)
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
