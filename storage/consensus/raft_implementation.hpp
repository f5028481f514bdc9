#pragma once

#include "storage/consensus/entry_cache.hpp"
#include "storage/consensus/raft_c.hpp"
#include "storage/consensus/raft_core.hpp"

#include <map>
#include <optional>

namespace novacron {

/// What libraft is told of free disk space: it need not hold back.
inline constexpr unsigned short plenty_of_space = 0xffff;

/// Throws `raft_failure`.
[[noreturn]] void end_for_raft(const char* what, int code);

/// A piece of libraft's heap. libraft insists that entries come in a batch of
/// its own memory; what it gets is this token, and the contents stay ours.
void* raft_token();

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

  /// False: refused, which only submissions and transfers may be.
  bool step(raft_event& event, millisecond_clock now);
  bool submit(std::vector<raft_entry>& entries, millisecond_clock now);
  void carry_out(const raft_update& update);
  void take_entries(const raft_update& update);
  void take_snapshot(const raft_update& update);
  void send(const raft_update& update);
  void send_append(uint64_t to, append_request header, unsigned count);
  void send_snapshot(uint64_t to, uint64_t term);
  std::vector<log_entry> entries_for(uint64_t first, unsigned count);

  // -- elections -------------------------------------------------------------------

  /// Nobody but this replica votes, as far as it knows.
  [[nodiscard]] bool votes_alone() const;
  /// Begins a term of its own, before it makes itself the leader.
  void begin_term();
  void forget_leader();

  // -- receiving -------------------------------------------------------------------

  void receive_append(uint64_t from, const std::string& address, append_request request,
                      millisecond_clock now);
  void receive_install(uint64_t from, const std::string& address, install_request request,
                       millisecond_clock now);
  void step_install(uint64_t from, const std::string& address, const install_request& request,
                    millisecond_clock now);

  // -- committed entries -----------------------------------------------------------

  void apply_ready();
  void announce_configurations(millisecond_clock now);
  /// Index and contents of the newest configuration up to `index`.
  [[nodiscard]] std::pair<uint64_t, log_entry::bytes> configuration_at(uint64_t index) const;

  raft_transport& transport;
  raft_persistence& persistence;
  raft_state_machine& machine;
  raft_guards guards;
  guard_hits hits;
  struct raft raft {};
  bool initialised = false;
  bool leads = false;
  entry_cache log;
  uint64_t stored = 0;
  uint64_t applied = 0;
  compaction_point compacted;
  /// All configurations that are in the log, and the last one before it.
  std::map<uint64_t, log_entry::bytes> configurations;
  uint64_t announced = 0; ///< configurations up to here are known to be committed
  std::map<uint64_t, millisecond_clock> heard;

  /// A snapshot that is being fetched, from the leader of its term.
  struct fetch_under_way {
    uint64_t from = 0;
    std::string address;
    install_request request;
  };
  std::optional<fetch_under_way> fetching;
  std::optional<raft_snapshot> installing; ///< libraft waits for it
};

} // namespace novacron
