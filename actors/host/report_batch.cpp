#include "actors/host/report_batch.hpp"

#include "storage/local/entry_packing.hpp"

namespace novacron {

std::optional<host_report> report_batch::next(node_id host, boot_id boot, uint64_t sequence) {
  if (on_its_way_ || (vms_.empty() && migrations_.empty()))
    return std::nullopt;
  host_report report{host, boot, sequence, {}, {}};
  // A migration's end goes first: a VM's word that depends on it comes after it.
  size_t bytes = 0;
  while (!migrations_.empty() && bytes < most_bytes) {
    report.migrations.push_back(migrations_.extract(migrations_.begin()).mapped());
    bytes += approximate_size(report.migrations.back());
  }
  while (!vms_.empty() && bytes < most_bytes) {
    report.vms.push_back(vms_.extract(vms_.begin()).mapped());
    bytes += approximate_size(report.vms.back());
  }
  on_its_way_ = true;
  return report;
}

} // namespace novacron
