#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace novacron {

/// One migration of the story, as summary.json has it.
struct migration_summary {
  std::string from;
  std::string to;
  std::string outcome;      ///< "done" or "rolled_back"; what else the log says when it never ended
  double seconds = 0;       ///< from the command until the guest ran at the destination
  uint64_t tick_gap_ms = 0; ///< largest between two ticks, while it lasted
  uint64_t guest_bytes = 0;
  uint64_t wire_bytes = 0; ///< what the sockets carried
  double ratio = 0;
  bool chain_ok = false;
  std::string disturbed_by; ///< what was killed in its middle; empty: nothing
};

struct kill_summary {
  std::string what;
  bool recovered = false;
  uint64_t recovered_ms = 0;
};

/// What a run of the demo found out.
struct demo_summary {
  std::string driver;      ///< "qemu" or "simulated"
  std::string accelerator; ///< "kvm", "tcg" or "simulated"
  uint64_t nodes = 0;
  uint64_t ticks = 0;
  uint64_t max_tick_gap_ms = 0;
  bool guest_memory_ok = false;
  std::vector<migration_summary> migrations;
  std::vector<kill_summary> kills;
  uint64_t acknowledged_writes = 0;
  uint64_t writes_lost = 0;           ///< acknowledged and not listed, or listed twice
  uint64_t doubled_processes = 0;     ///< spells with two processes of a VM outside any migration
  uint64_t repeated_ticks = 0;        ///< the same tick twice: two guests of a VM ran
  uint64_t guest_starts = 0;          ///< times that the guest began to tick; must be 1
  uint64_t qemu_tcp_sockets = 0;      ///< ways past DWCP
  uint64_t smallest_stream_bytes = 0; ///< a committed migration must have carried so much
  std::vector<std::string> problems;  ///< what kept the story from going on

  [[nodiscard]] uint64_t duplicate_runs() const { return doubled_processes + repeated_ticks; }
};

inline constexpr uint64_t longest_gap_ms = 1'000;

/// What is wrong with the run, a sentence each; empty: all is well.
std::vector<std::string> failed_checks(const demo_summary& x);

/// The content of summary.json, one line.
std::string to_json(const demo_summary& x);

/// For people.
std::string to_table(const demo_summary& x);

} // namespace novacron
