#pragma once

#include "ledger.hpp"

namespace novacron::chaos {

/// What must not be left once nothing is wrong any more and nobody asks for
/// anything.
struct unsettled {
  std::vector<std::string> operations; ///< that still run, in words
  std::vector<std::string> vms;        ///< whose states disagree, in words
  /// Ids of VMs that ended and that nobody but a user starts again: their
  /// policy says so, or has given up.
  std::vector<std::string> ended;

  [[nodiscard]] bool empty() const { return operations.empty() && vms.empty() && ended.empty(); }
  [[nodiscard]] std::string text() const;
};

unsettled look_for_unsettled(const shown_state& shown);

} // namespace novacron::chaos
