#include "runtime/demo/summary.hpp"

#include "actors/view/json_writer.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace novacron {

namespace {

constexpr uint64_t committed_needed = 2;
constexpr size_t kills_needed = 4;
constexpr double bytes_per_mib = 1'048'576;

std::string mib(uint64_t bytes) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / bytes_per_mib << " MiB";
  return out.str();
}

void check_migration(const migration_summary& m, uint64_t smallest,
                     std::vector<std::string>& wrong) {
  const auto name = "the migration from " + m.from + " to " + m.to;
  const bool done = m.outcome == "done";
  if (!done && (m.disturbed_by.empty() || m.outcome != "rolled_back"))
    wrong.push_back(name + " ended as \"" + m.outcome + '"');
  if (!done)
    return;
  if (!m.chain_ok)
    wrong.push_back(name + " has no digest that both ends agree on");
  if (m.guest_bytes < smallest)
    wrong.push_back(name + " carried only " + mib(m.guest_bytes) + " over DWCP, less than the "
                    + mib(smallest) + " that the guest uses: pages went another way");
}

} // namespace

std::vector<std::string> failed_checks(const demo_summary& x) {
  auto wrong = x.problems;
  if (x.ticks == 0)
    wrong.emplace_back("the guest never ticked");
  if (x.guest_starts > 1)
    wrong.push_back("the guest was started " + std::to_string(x.guest_starts) + " times");
  if (x.max_tick_gap_ms > longest_gap_ms)
    wrong.push_back("the guest was silent for " + std::to_string(x.max_tick_gap_ms)
                    + " ms; at most " + std::to_string(longest_gap_ms) + " is allowed");
  if (!x.guest_memory_ok)
    wrong.emplace_back("the guest's check of its memory failed, or never came round");
  if (x.writes_lost > 0)
    wrong.push_back(std::to_string(x.writes_lost) + " of " + std::to_string(x.acknowledged_writes)
                    + " acknowledged writes are lost, or there twice");
  if (x.duplicate_runs() > 0)
    wrong.push_back("a guest ran twice at a time, " + std::to_string(x.duplicate_runs())
                    + " times");
  if (x.qemu_tcp_sockets > 0)
    wrong.emplace_back("a QEMU had a TCP socket: pages may have gone past DWCP");
  for (const auto& m : x.migrations)
    check_migration(m, x.smallest_stream_bytes, wrong);
  const auto committed = std::count_if(x.migrations.begin(), x.migrations.end(),
                                       [](const auto& m) { return m.outcome == "done"; });
  if (static_cast<uint64_t>(committed) < committed_needed)
    wrong.push_back("only " + std::to_string(committed) + " migrations were committed");
  if (x.kills.size() < kills_needed)
    wrong.push_back("only " + std::to_string(x.kills.size()) + " kills were tried");
  for (const auto& kill : x.kills)
    if (!kill.recovered)
      wrong.push_back("after killing " + kill.what + " the cluster didn't come back");
  return wrong;
}

std::string to_json(const demo_summary& x) {
  json_writer out;
  out.begin_object();
  out.key("driver").text(x.driver);
  out.key("accelerator").text(x.accelerator);
  out.key("nodes").number(x.nodes);
  out.key("ticks").number(x.ticks);
  out.key("max_tick_gap_ms").number(x.max_tick_gap_ms);
  out.key("guest_memory_ok").boolean(x.guest_memory_ok);
  out.key("migrations").begin_array();
  for (const auto& m : x.migrations) {
    out.begin_object();
    out.key("from").text(m.from);
    out.key("to").text(m.to);
    out.key("outcome").text(m.outcome);
    out.key("seconds").fraction(m.seconds);
    out.key("tick_gap_ms").number(m.tick_gap_ms);
    out.key("guest_bytes").number(m.guest_bytes);
    out.key("wire_bytes").number(m.wire_bytes);
    out.key("ratio").fraction(m.ratio);
    out.key("chain_ok").boolean(m.chain_ok);
    out.end_object();
  }
  out.end_array();
  out.key("kills").begin_array();
  for (const auto& kill : x.kills) {
    out.begin_object();
    out.key("what").text(kill.what);
    out.key("recovered_ms");
    if (kill.recovered)
      out.number(kill.recovered_ms);
    else
      out.null();
    out.end_object();
  }
  out.end_array();
  out.key("acknowledged_writes").number(x.acknowledged_writes);
  out.key("writes_lost").number(x.writes_lost);
  out.key("duplicate_runs").number(x.duplicate_runs());
  out.end_object();
  return out.take();
}

std::string to_table(const demo_summary& x) {
  std::ostringstream out;
  out << std::left << std::setw(18) << "migration" << std::setw(13) << "outcome" << std::setw(9)
      << "seconds" << std::setw(10) << "gap ms" << std::setw(12) << "guest" << std::setw(12)
      << "wire" << std::setw(7) << "ratio"
      << "chain\n";
  for (const auto& m : x.migrations) {
    out << std::setw(18) << m.from + ">" + m.to << std::setw(13) << m.outcome << std::setw(9)
        << std::fixed << std::setprecision(2) << m.seconds << std::setw(10) << m.tick_gap_ms
        << std::setw(12) << mib(m.guest_bytes) << std::setw(12) << mib(m.wire_bytes) << std::setw(7)
        << m.ratio << (m.chain_ok ? "ok" : "-") << '\n';
  }
  out << std::setw(58) << "\nkilled"
      << "back after\n";
  for (const auto& kill : x.kills)
    out << std::setw(57) << kill.what
        << (kill.recovered ? std::to_string(kill.recovered_ms) + " ms" : "never") << '\n';
  out << "\ndriver " << x.driver << ", " << x.accelerator
      << (x.driver == "simulated" ? " (no QEMU ran); " : "; ") << x.nodes << " nodes; " << x.ticks
      << " ticks, largest gap " << x.max_tick_gap_ms << " ms; memory "
      << (x.guest_memory_ok ? "ok" : "NOT ok") << "; " << x.acknowledged_writes
      << " acknowledged writes, " << x.writes_lost << " lost; " << x.duplicate_runs()
      << " duplicate runs\n";
  return out.str();
}

} // namespace novacron
