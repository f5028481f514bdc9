#pragma once

#include "messages/commands.hpp"

#include <map>
#include <optional>

namespace novacron {

/// Collects what a host's actors see between two reports: the last word per VM
/// and migration wins. A report that isn't answered is dropped, not repeated:
/// whoever observed says it again for as long as the log doesn't show it.
class report_batch {
public:
  /// About so much, and one observation beyond; the rest waits for the next report.
  /// The log refuses whole what doesn't fit one entry (`most_proposal_bytes`), and
  /// frontends put several reports into one.
  static constexpr size_t most_bytes = 16u << 10;

  void add(const vm_observation& x) { vms_[x.vm] = x; }
  void add(const migration_observation& x) { migrations_[x.migration] = x; }

  /// The next report, if there is something to say and none is on its way.
  std::optional<host_report> next(node_id host, boot_id boot, uint64_t sequence);
  /// The last report was answered, or never will be.
  void ended() { on_its_way_ = false; }

private:
  std::map<vm_id, vm_observation> vms_;
  std::map<migration_id, migration_observation> migrations_;
  bool on_its_way_ = false;
};

} // namespace novacron
