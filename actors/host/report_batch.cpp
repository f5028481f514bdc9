#include "actors/host/report_batch.hpp"

namespace novacron {

std::optional<host_report> report_batch::next(node_id host, boot_id boot, uint64_t sequence) {
  if (on_its_way_ || (vms_.empty() && migrations_.empty()))
    return std::nullopt;
  host_report report{host, boot, sequence, {}, {}};
  // A migration's end goes first: a VM's word that depends on it comes after it.
  while (!migrations_.empty() && report.migrations.size() < most_observations)
    report.migrations.push_back(migrations_.extract(migrations_.begin()).mapped());
  while (!vms_.empty() && report.vms.size() < most_observations)
    report.vms.push_back(vms_.extract(vms_.begin()).mapped());
  on_its_way_ = true;
  return report;
}

} // namespace novacron
