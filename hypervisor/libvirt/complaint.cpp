#include "hypervisor/libvirt/complaint.hpp"

#include <libvirt/virterror.h>

namespace novacron {

namespace {

hypervisor_errc meaning_of(int code) {
  switch (code) {
  case VIR_ERR_NO_DOMAIN:
    return hypervisor_errc::no_such_guest;
  case VIR_ERR_OPERATION_ABORTED:
    return hypervisor_errc::aborted;
  case VIR_ERR_NO_SUPPORT:
  case VIR_ERR_CONFIG_UNSUPPORTED:
    return hypervisor_errc::not_supported;
  default:
    return hypervisor_errc::refused;
  }
}

} // namespace

libvirt_complaint last_complaint() {
  const auto* error = virGetLastError();
  if (error == nullptr)
    return {0, "libvirt gave no reason"};
  return {error->code, error->message != nullptr ? error->message : "libvirt gave no reason"};
}

failure explain(virConnect* connection, call_kind kind, const std::string& what,
                const libvirt_complaint& complaint) {
  if (connection != nullptr && virConnectIsAlive(connection) != 1) {
    if (kind == call_kind::changes)
      return make_failure(hypervisor_errc::outcome_unknown,
                          what + ": the connection to libvirtd broke during the call ("
                              + complaint.message + "); list the guests, then decide");
    return make_failure(hypervisor_errc::unreachable,
                        what + ": the connection to libvirtd broke (" + complaint.message
                            + "); try again, the connection is made anew");
  }
  return make_failure(meaning_of(complaint.code), what + ": " + complaint.message);
}

} // namespace novacron
