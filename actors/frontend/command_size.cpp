#include "actors/frontend/frontend_state.hpp"

namespace novacron {

namespace {

constexpr size_t fixed_part = 128; // ids, revisions, pointers

size_t variable_part(const create_vm& x) {
  auto size = x.name.size() + x.spec.image.size() + x.spec.kernel_arguments.size();
  for (const auto& [key, value] : x.spec.labels)
    size += key.size() + value.size() + 16;
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
  for (const auto& image : x.host.images)
    size += image.size() + 16;
  return size;
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
