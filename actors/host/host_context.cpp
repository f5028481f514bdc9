#include "actors/host/host_context.hpp"

#include "hypervisor/errors.hpp"

namespace novacron {

result<guest_spec> make_guest_spec(const host_context& context, const vm_record& vm, epoch epoch) {
  auto image = context.images.find(vm.spec.image);
  if (image == context.images.end())
    return make_failure(
        hypervisor_errc::refused,
        "host " + context.self.name + ": cannot start vm " + vm.name + ": image \"" + vm.spec.image
            + "\" is not in this host's catalogue; add it to the host's configuration");
  return guest_spec{vm.id,
                    vm.name,
                    epoch,
                    vm.spec.ha(),
                    vm.spec.vcpus,
                    vm.spec.memory_mib,
                    image->second.kernel,
                    image->second.initrd,
                    vm.spec.kernel_arguments,
                    context.console_log(vm.id)};
}

} // namespace novacron
