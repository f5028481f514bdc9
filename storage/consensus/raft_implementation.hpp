#pragma once

#include "storage/consensus/entry_cache.hpp"
#include "storage/consensus/raft_c.hpp"
#include "storage/consensus/raft_core.hpp"

#include <map>

namespace novacron {

/// What libraft is told of free disk space: it need not hold back.
inline constexpr unsigned short plenty_of_space = 0xffff;

/// Ends the process: the core can't go on, and must not guess.
[[noreturn]] void end_for_raft(const char* what, int code);

struct raft_core::implementation {
  implementation(raft_transport& t, raft_persistence& p, raft_state_machine& m)
      : transport{t}, persistence{p}, machine{m} {
    // nop
  }

  ~implementation() {
    if (initialised)
      raft_close(&raft, nullptr);
  }

  // -- stepping --------------------------------------------------------------------

  /// False: refused, which only submissions may be.
  bool step(raft_event& event, millisecond_clock now);
  void carry_out(const raft_update& update);
  void take_entries(const raft_update& update);
  void send(const raft_update& update);
  std::vector<log_entry> entries_for(uint64_t first, unsigned count);

  // -- committed entries -----------------------------------------------------------

  void apply_ready();
  void announce_configurations(millisecond_clock now);

  raft_transport& transport;
  raft_persistence& persistence;
  raft_state_machine& machine;
  struct raft raft {};
  bool initialised = false;
  bool leads = false;
  entry_cache log;
  uint64_t stored = 0;
  uint64_t applied = 0;
  compaction_point compacted;
  /// The newest configuration known to be committed, and those after it.
  uint64_t configuration_index = 0;
  log_entry::bytes configuration;
  std::map<uint64_t, log_entry::bytes> pending_configurations;
};

} // namespace novacron
