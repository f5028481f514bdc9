#pragma once

#include "hypervisor/hypervisor.hpp"
#include "hypervisor/libvirt/handles.hpp"

#include <optional>
#include <string>

namespace novacron {

/// The five steps of a live migration, one by one.
///
/// libvirt's public calls run all five in one go, and decide alone what happens
/// when an answer is lost. We decide that in our log, so each step is called by
/// itself, against the local libvirtd only. The five functions stand behind
/// libvirt's stable RPC procedures, but are exported for libvirt's own daemon
/// (symbol version LIBVIRT_PRIVATE): they are in no header and are looked up at
/// run time, here and nowhere else.
///
/// Each function returns nothing when the call failed; libvirt's last error of
/// this thread says why.
namespace migration_steps {

/// Looks the functions up and calls one of them wrongly on purpose; says what
/// is missing, or nothing when all is well. Cheap after the first call.
std::string problem();

/// Source, 1.
std::optional<migration_offer> begin(virDomain* domain);

/// Destination, 2: the domain of `xml` waits for its memory on the UNIX socket
/// `listen`, and is destroyed when `connection` closes before `finish`. Returns
/// the cookie.
std::optional<std::string> prepare(virConnect* connection, const std::string& xml,
                                   const std::string& listen, const std::string& cookie);

/// Source, 3: libvirtd connects to the UNIX socket and QEMU sends.
/// `connection` of the domain must stay open until `confirm`. Returns the cookie.
std::optional<std::string> perform(virDomain* domain, const perform_request& request);

/// Destination, 4. A cancelled one that succeeded has no domain.
struct finished {
  domain_pointer domain;
  std::string cookie;
};
finished finish(virConnect* connection, const std::string& name, const std::string& cookie,
                bool cancelled);

/// Source, 5: destroys the source, or resumes it when `cancelled`. Only after a
/// `perform` that succeeded.
bool confirm(virDomain* domain, const std::string& cookie, bool cancelled);

} // namespace migration_steps

} // namespace novacron
