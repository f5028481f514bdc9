#include "actors/frontend/frontend_state.hpp"

namespace novacron {

namespace {

constexpr size_t fixed_part = 128; // ids, revisions, pointers

size_t variable_part(const create_vm& x) {
  auto size = x.name.size() + x.spec.image.size() + x.spec.kernel_arguments.size();
  const auto& rules = x.spec.placement;
  for (const auto* labels : {&x.spec.labels, &rules.required_labels, &rules.preferred_labels})
    for (const auto& [key, value] : *labels)
      size += key.size() + value.size() + 16;
  for (const auto* groups : {&rules.groups, &rules.required_affinity, &rules.preferred_affinity,
                             &rules.required_anti_affinity, &rules.preferred_anti_affinity})
    for (const auto& group : *groups)
      size += group.size() + 16;
  return size;
}

size_t variable_part(const decide_migration& x) {
  return x.reason.size();
}

size_t variable_part(const replace_vm& x) {
  return x.problem.size();
}

size_t variable_part(const host_report& x) {
  size_t size = x.migrations.size() * 72;
  for (const auto& each : x.vms)
    size += 56 + each.reason.size();
  return size;
}

size_t variable_part(const register_host& x) {
  size_t size = 256;
  for (const auto* texts : {&x.host.images, &x.host.cpu_features})
    for (const auto& text : *texts)
      size += text.size() + 16;
  for (const auto& [key, value] : x.host.labels)
    size += key.size() + value.size() + 16;
  return size;
}

size_t variable_part(const start_rebalance& x) {
  return x.moves.size() * 48;
}

size_t variable_part(const note_move& x) {
  return x.reason.size();
}

template <class Fixed>
size_t variable_part(const Fixed&) {
  return 0;
}

} // namespace

size_t estimated_bytes(const command& x) {
  return fixed_part + x.idempotency.principal.size() + x.idempotency.key.size()
         + std::visit([](const auto& body) { return variable_part(body); }, x.body);
}

} // namespace novacron
