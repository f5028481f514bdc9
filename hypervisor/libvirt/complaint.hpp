#pragma once

#include "hypervisor/errors.hpp"
#include "hypervisor/libvirt/handles.hpp"

#include <string>

namespace novacron {

/// What libvirt said when the last call of this thread failed.
struct libvirt_complaint {
  int code = 0; ///< of virErrorNumber
  std::string message;
};
libvirt_complaint last_complaint();

/// Whether a call changes anything when it succeeds.
enum class call_kind : uint8_t { reads, changes };

/// Turns a libvirt error into ours: the last one of this thread unless given,
/// so call it right after the failed call. `what` says what failed and on what ("cannot start guest
/// …"). A call on a connection that has broken is `outcome_unknown` when it changes something and
/// `unreachable` when it only reads.
failure explain(virConnect* connection, call_kind kind, const std::string& what,
                const libvirt_complaint& complaint = last_complaint());

} // namespace novacron
