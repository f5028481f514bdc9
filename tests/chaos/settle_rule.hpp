#pragma once

#include "ledger.hpp"

#include <set>

namespace novacron::chaos {

/// What must have happened once nothing is wrong any more and nobody asks for
/// anything.
struct settle_rule {
  /// Hosts that are down on purpose: their VMs are excused …
  std::set<std::string> away;
  /// … unless lost hosts' VMs with a restart policy are to run elsewhere by now.
  bool lost_hosts_heal = false;
};

/// What isn't settled.
struct unsettled {
  std::vector<std::string> operations; ///< that still run, in words
  std::vector<std::string> vms;        ///< whose states disagree, in words
  /// Ids of VMs that ended and that nobody but a user starts again: their
  /// policy says so, or has given up.
  std::vector<std::string> ended;

  [[nodiscard]] bool empty() const { return operations.empty() && vms.empty() && ended.empty(); }
  [[nodiscard]] std::string text() const;
};

unsettled look_for_unsettled(const shown_state& shown, const settle_rule& rule);

} // namespace novacron::chaos
