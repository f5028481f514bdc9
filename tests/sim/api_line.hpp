#pragma once

#include "messages/peer.hpp"

#include <functional>
#include <optional>

namespace novacron::sim {

/// What a gateway's copy of the state shows of a VM.
struct vm_view {
  uint64_t revision = 0;    ///< of the copy
  uint64_t vm_revision = 0; ///< of the VM's last change; 0: there is no such VM
};

/// Whether the call ends with it; else it is made again.
inline bool is_final(const command_outcome& outcome) {
  return outcome.error != command_errc::unknown_outcome && outcome.error != command_errc::not_leader
         && outcome.error != command_errc::overloaded;
}

/// A caller's way to the controllers.
class api_line {
public:
  virtual ~api_line() = default;

  /// `then` is called once: with the answer, or with nothing, when nobody knows what
  /// became of it, or it surely did nothing.
  using proposal_then = std::function<void(const std::optional<outcomes>&)>;
  virtual void propose(const proposal& what, uint64_t patience_ms, proposal_then then) = 0;
  using listing_then = std::function<void(const std::optional<feed_listing>&)>;
  virtual void list(const list_request& what, listing_then then) = 0;
  /// Reads a VM from a gateway's copy, at `min_revision` or later. False: there is no gateway
  /// on this way, and `then` is not called.
  using look_then = std::function<void(const std::optional<vm_view>&)>;
  virtual bool look(vm_id /*vm*/, uint64_t /*min_revision*/, look_then /*then*/) { return false; }
};

} // namespace novacron::sim
