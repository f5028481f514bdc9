#include "hypervisor/libvirt/autostart.hpp"

#include "hypervisor/libvirt/complaint.hpp"

#include <memory>
#include <string>

namespace novacron {

result<void> refuse_autostart(virConnect* connection) {
  virDomainPtr* listed = nullptr;
  const int count
      = virConnectListAllDomains(connection, &listed, VIR_CONNECT_LIST_DOMAINS_AUTOSTART);
  if (count < 0)
    return explain(connection, call_kind::reads, "cannot list the guests that start by themselves");
  const std::unique_ptr<virDomainPtr, c_release> memory{listed};
  std::string names;
  for (int i = 0; i < count; ++i) {
    const domain_pointer domain{listed[i]};
    names += (i == 0 ? "" : ", ") + std::string{virDomainGetName(domain.get())};
  }
  if (count == 0)
    return {};
  return make_failure(hypervisor_errc::refused,
                      "libvirt starts guests by itself here, which nobody may: " + names
                          + "; say `virsh autostart --disable` of each");
}

} // namespace novacron
