#include "actors/host/report_batch.hpp"

namespace novacron {

namespace {

// In an entry; no less than `approximate_size` counts.
constexpr size_t vm_bytes = 96;
constexpr size_t migration_bytes = 128;

} // namespace

std::optional<host_report> report_batch::next(node_id host, boot_id boot, uint64_t sequence) {
  if (on_its_way_ || (vms_.empty() && migrations_.empty()))
    return std::nullopt;
  host_report report{host, boot, sequence, {}, {}};
  // A migration's end goes first: a VM's word that depends on it comes after it.
  size_t bytes = 0;
  while (!migrations_.empty() && bytes < most_bytes) {
    report.migrations.push_back(migrations_.extract(migrations_.begin()).mapped());
    bytes += migration_bytes;
  }
  while (!vms_.empty() && bytes < most_bytes) {
    report.vms.push_back(vms_.extract(vms_.begin()).mapped());
    bytes += vm_bytes + report.vms.back().reason.size();
  }
  on_its_way_ = true;
  return report;
}

} // namespace novacron
