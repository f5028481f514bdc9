#include "actors/host/host_context.hpp"

#include "hypervisor/errors.hpp"

#include <string_view>

namespace novacron {

namespace {

/// Locally administered. Of the VM's random id, so that it moves with the guest, and
/// nobody has to keep a list.
std::string mac_of(vm_id vm, size_t card) {
  const auto id = vm.value.low ^ card;
  std::string out = "52";
  for (int shift = 32; shift >= 0; shift -= 8) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = (id >> shift) & 0xFF;
    out += ':';
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
  }
  return out;
}

failure not_here(const host_context& context, const vm_record& vm, const std::string& what) {
  return make_failure(hypervisor_errc::refused,
                      "host " + context.self.name + ": cannot start vm " + vm.name + ": " + what
                          + " is not in this host's catalogue; add it to the host's configuration");
}

} // namespace

result<guest_spec> make_guest_spec(const host_context& context, const vm_record& vm, epoch epoch) {
  auto image = context.images.find(vm.spec.image);
  if (image == context.images.end())
    return not_here(context, vm, "image \"" + vm.spec.image + '"');
  guest_spec spec{vm.id,
                  vm.name,
                  epoch,
                  vm.spec.ha(),
                  vm.spec.vcpus,
                  vm.spec.memory_mib,
                  image->second.kernel,
                  image->second.initrd,
                  vm.spec.kernel_arguments,
                  context.console_log(vm.id)};
  for (const auto& name : vm.spec.networks) {
    auto network = context.networks.find(name);
    if (network == context.networks.end())
      return not_here(context, vm, "network \"" + name + '"');
    spec.cards.push_back({mac_of(vm.id, spec.cards.size()), network->second});
  }
  return spec;
}

} // namespace novacron
